#pragma once

#include <papilio/codec.hpp>

// The codecs that the benchmark knows, under the names that it prints.
namespace papilio::bench {

/// Calls `visit(name, codec)` for each.
template <class Visit>
void for_each_codec(Visit visit)
{
    visit("as_f16", as_f16{});
    visit("f16b", f16b{});
    visit("as_bf16", as_bf16{});
    visit("int8b", int8b{});
    visit("int4b_32", int4b<32>{});
    visit("int4b_128", int4b<128>{});
    visit("nf4b", nf4b{});
    visit("fp8_e4m3", fp8<e4m3>{});
    visit("fp8_e5m2", fp8<e5m2>{});
    visit("fp4", fp4{});
    visit("sign1", sign1{});
    visit("topk_half", topk<64>{});
    visit("topk_2bit", topk<64, two_bit_values>{});
    visit("topk_2bit_rice", topk<64, two_bit_values, rice_places>{});
    visit("topk_sign", topk<64, sign_values>{});
    visit("randk_half", randk<64>{});
    visit("stochastic_int8b", stochastic<int8b>{});
    visit("stochastic_int4b_32", stochastic<int4b<32>>{});
    visit("hivemind_float16", hivemind::float16{});
    visit("hivemind_meanstd16", hivemind::meanstd16{});
    visit("hivemind_uniform8", hivemind::uniform8{});
    visit("hivemind_quantile8", hivemind::quantile8{});
    visit("hivemind_blockwise8", hivemind::blockwise8{});
}

}  // namespace papilio::bench
