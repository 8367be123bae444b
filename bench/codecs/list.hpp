#pragma once

#include <papilio/codec.hpp>

#include <string>

// The codecs that the benchmark measures, under the names that it prints.
namespace papilio::bench {

/// The codec's name as an identifier: `int4b<32>` becomes `int4b_32`. Sparse codecs are followed by
/// the form of their values.
inline std::string identifier(codec_id id)
{
    std::string text;
    for (const char c : std::string(name(id))) {
        if (c == '<' || (c == ':' && !text.ends_with('_'))) text += '_';
        if (c != '<' && c != '>' && c != ':') text += c;
    }
    return id == codec_id::topk || id == codec_id::randk ? text + "_half" : text;
}

/// Calls `visit(name, codec)` for all lossy codecs, and for variants of them.
template <class Visit>
void for_each_codec(Visit visit)
{
    papilio::for_each_codec(all_codecs{}, [&](auto codec) {
        if constexpr (!decltype(codec)::lossless) visit(identifier(codec.id), codec);
    });
    const auto variant = [&](const char* name, auto codec) { visit(std::string(name), codec); };
    variant("topk_2bit", topk<64, two_bit_values>{});
    variant("topk_2bit_rice", topk<64, two_bit_values, rice_places>{});
    variant("topk_sign", topk<64, sign_values>{});
    variant("stochastic_int8b", stochastic<int8b>{});
    variant("stochastic_int4b_32", stochastic<int4b<32>>{});
    variant("centred_nf4b", centred<nf4b>{});
    variant("centred_fp4", centred<fp4>{});
}

}  // namespace papilio::bench
