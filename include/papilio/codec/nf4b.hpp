#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/block_codec.hpp>
#include <papilio/codec/scale.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// The levels of NF4, from T. Dettmers et al., "QLoRA" (2023): quantiles of the normal
/// distribution, brought to [-1, 1], zero among them.
inline constexpr float nf4_levels[16] = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

struct nf4_block {
    static constexpr std::size_t block = 64;
    static constexpr unsigned bits = 4;
    static constexpr const char* name = "nf4b";
    static constexpr std::uint8_t zero_code = 7;

    template <class Size>
    static std::uint16_t encode(const float* values, Size, std::uint8_t* codes)
    {
        const auto peak = finite_peak<block>(values, name);
        if (peak < smallest_peak) {
            std::fill_n(codes, block, zero_code);
            return 0;
        }
        const auto scale = scale_up(peak, 1);
        classify(values, bf16_value(scale), codes, std::make_index_sequence<15>{});
        return scale;
    }

    /// The level of largest magnitude is always among the codes: the scale exceeds the largest
    /// magnitude by less than 1 in 128.
    template <class Size>
    static bool decode(const std::uint8_t* codes, Size size, std::uint16_t scale, float* values)
    {
        const auto end = codes + size;
        if (scale == 0) {
            std::fill_n(values, block, 0.0f);
            return std::count(codes, end, zero_code) == end - codes;
        }
        std::uint8_t outermost = 0;
        float levels[16];
        for (std::size_t k = 0; k < 16; ++k) levels[k] = nf4_levels[k] * bf16_value(scale);
        for (std::size_t i = 0; i < block; ++i) values[i] = levels[codes[i]];
        for (std::size_t i = 0; i < size; ++i)
            outermost |= static_cast<std::uint8_t>((codes[i] == 0) | (codes[i] == 15));
        return is_scale(scale, 1) && outermost != 0;
    }

private:
    /// Each code counts the midpoints between levels that the value exceeds. They are multiplied by
    /// the scale, since the inverse of a large one would be subnormal.
    template <std::size_t... Js>
    static void classify(const float* values, float scale, std::uint8_t* codes,
                         std::index_sequence<Js...>)
    {
        const float limits[] = {(nf4_levels[Js] + nf4_levels[Js + 1]) / 2 * scale...};
        for (std::size_t i = 0; i < block; ++i)
            codes[i] = static_cast<std::uint8_t>((static_cast<int>(values[i] > limits[Js]) + ...));
    }
};

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

/// Four bits per element, for normally distributed numbers, and one 16-bit scale per 64: 4.25 bits
/// together. Each element becomes the nearest of NF4's 16 levels times the block's scale, which is
/// its largest magnitude rounded up; the squared error is about 0.0086 of the squares of normal
/// numbers. Blocks whose largest magnitude is below 2^-100 become zeros.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite.
struct nf4b : detail::block_codec<detail::nf4_block> {
    static constexpr codec_id id = codec_id::nf4b;
};

}  // namespace papilio
