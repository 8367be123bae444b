#pragma once

#include <papilio/base/rounding.hpp>
#include <papilio/codec/hivemind/codebook.hpp>

#include <cmath>

namespace papilio::hivemind::detail {

struct uniform8_coder {
    static constexpr const char* name = "uniform8";

    static void encode(std::span<const float> values, std::uint8_t* codes)
    {
        const spread around(values);
        const auto variance = around.squares / (static_cast<double>(values.size()) - 1);
        const auto step = static_cast<float>(6 * std::sqrt(variance) / 256);
        if (!(step >= std::numeric_limits<float>::min())) {  // all are alike, or there is but one
            std::fill_n(codes, values.size(), std::uint8_t{128});
            return;
        }
        papilio::detail::for_each_tile<tile>(values.size(), [&](std::size_t begin, auto size) {
            classify(values.data() + begin, size, around.mean, 1 / step, codes + begin);
        });
    }

private:
    static constexpr std::size_t tile = 256;

    template <class Size>
    static void classify(const float* values, Size size, float mean, float inverse,
                         std::uint8_t* codes)
    {
        float scaled[tile];
        for (std::size_t i = 0; i < size; ++i)
            scaled[i] = std::min(std::max((values[i] - mean) * inverse, -128.0f), 127.0f);
        papilio::detail::round_now(scaled);
        // Adding 1.5 * 2^23 rounds to an integer, ties to even, and leaves it in the low bits.
        for (std::size_t i = 0; i < size; ++i)
            codes[i] = static_cast<std::uint8_t>(
                std::bit_cast<std::uint32_t>(scaled[i] + 0x1.8p23f) + 128);
    }
};

}  // namespace papilio::hivemind::detail

namespace papilio::hivemind {

/// hivemind's UNIFORM_8BIT: 256 steps of equal width from three standard deviations below the mean
/// to three above, and a codebook of what was found in each: 8 bits per element and 1032 bytes.
/// What lies beyond shares the outermost steps, so numbers with heavy tails lose much: 2.4e-4 of
/// the squares of normal numbers, a tenth of Student's t with three degrees.
///
/// A run cannot be cut, and its encoding depends on the order of sums: other writers' bytes may
/// differ in the last place, yet decode exactly. `encode` throws `errc::not_finite` for a NaN, an
/// infinity, or a double beyond float's range. What `decode` accepts is finite.
struct uniform8 : detail::codebook_codec<detail::uniform8_coder> {
    static constexpr codec_id id = codec_id::hivemind_uniform8;
};

}  // namespace papilio::hivemind
