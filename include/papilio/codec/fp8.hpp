#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/codec/block_codec.hpp>
#include <papilio/codec/minifloat.hpp>
#include <papilio/codec/scale.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE::detail {

template <class Format>
struct fp8_block {
    static constexpr std::size_t block = 128;
    static constexpr unsigned bits = 8;
    static constexpr const char* name = Format::name;

    template <class Size>
    static std::uint16_t encode(const float* values, Size, std::uint8_t* codes)
    {
        const auto peak = finite_peak<block>(values, name);
        if (peak < smallest_peak) {
            std::fill_n(codes, block, std::uint8_t{0});
            return 0;
        }
        const auto scale = scale_up(peak, Format::largest);
        const auto inverse = 1 / bf16_value(scale);
        float scaled[block];
        for (std::size_t i = 0; i < block; ++i) scaled[i] = values[i] * inverse;
        round_now(scaled);
        for (std::size_t i = 0; i < block; ++i) codes[i] = minifloat_code<Format>(scaled[i]);
        return scale;
    }

    /// The largest code is always among them: the scale exceeds its share of the largest magnitude
    /// by less than 1 in 128, much less than the distance between codes. Infinities and NaN lie
    /// above it.
    template <class Size>
    static bool decode(const std::uint8_t* codes, Size, std::uint16_t scale, float* values)
    {
        std::uint8_t largest = 0, any = 0;
        for (std::size_t i = 0; i < block; ++i) {
            largest = std::max(largest, static_cast<std::uint8_t>(codes[i] & 0x7f));
            any = static_cast<std::uint8_t>(any | codes[i]);
        }
        const bool normal = is_scale(scale, Format::largest) && largest == Format::largest_code;
        if (!normal && (scale != 0 || any != 0)) return false;
        for (std::size_t i = 0; i < block; ++i)
            values[i] = minifloat_value<Format>(codes[i]) * bf16_value(scale);
        return true;
    }
};

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

/// An 8-bit float per element, `e4m3` or `e5m2`, and one 16-bit scale per 128: 8.125 bits together.
/// The relative error is at most 1/16 (e4m3) or 1/8 (e5m2), down to 2^-15 (2^-30) of the block's
/// largest magnitude; the squared error of normal numbers is about 6.6e-4 (2.6e-3) of their
/// squares. Blocks whose largest magnitude is below 2^-100 become zeros. For numbers of one size
/// `int8b` is more precise; these keep small numbers beside large ones.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite. The formats are those of
/// P. Micikevicius et al., "FP8 formats for deep learning" (2022).
template <class Format>
struct fp8 : detail::block_codec<detail::fp8_block<Format>> {
    static_assert(std::is_same_v<Format, e4m3> || std::is_same_v<Format, e5m2>,
                  "8-bit floats come as fp8<e4m3> and fp8<e5m2>");
    static constexpr codec_id id =
        std::is_same_v<Format, e4m3> ? codec_id::fp8_e4m3 : codec_id::fp8_e5m2;
};

}  // namespace papilio
