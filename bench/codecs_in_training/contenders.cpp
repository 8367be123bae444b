#include "contenders.hpp"

#include <papilio/codec/error_feedback.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/topk.hpp>
#include <papilio/codec/two_way.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>

#include <utility>

namespace papilio::example {

namespace {

/// `make(residuals)` is the codec of one worker.
template <class Make>
contender entry(std::string name, Make make)
{
    return {std::move(name), [make](any_transport net, std::span<const float> in,
                                    std::span<float> out, residuals<bf16>& kept) {
                return all_reduce(net, in, out, mean{}, make(kept), call_options{});
            }};
}

using sparse = topk<64, two_bit_values>;

}  // namespace

std::vector<contender> all_contenders()
{
    return {
        entry("none", [](residuals<bf16>&) { return identity{}; }),
        entry("int8b", [](residuals<bf16>&) { return int8b{}; }),
        entry("int4b", [](residuals<bf16>&) { return int4b<32>{}; }),
        entry("int4b+ef", [](residuals<bf16>& kept) { return error_feedback(kept, int4b<32>{}); }),
        entry("int4b+ef, int8b back",
              [](residuals<bf16>& kept) {
                  return two_way{error_feedback(kept, int4b<32>{}), int8b{}};
              }),
        entry("topk+ef, int8b back",
              [](residuals<bf16>& kept) {
                  return two_way{error_feedback(kept, sparse{}), int8b{}};
              }),
        entry("topk+ef, int4b back",
              [](residuals<bf16>& kept) {
                  return two_way{error_feedback(kept, sparse{}), int4b<32>{}};
              }),
    };
}

}  // namespace papilio::example
