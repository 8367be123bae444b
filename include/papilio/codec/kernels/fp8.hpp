#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/codec/kernels/packed.hpp>
#include <papilio/codec/minifloat.hpp>
#include <papilio/codec/scale.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

// fp8, the reference.
namespace papilio::inline PAPILIO_MODE::detail {

template <class Format>
struct fp8_block {
    static constexpr std::size_t block = 128;
    static constexpr unsigned bits = 8;
    static constexpr const char* name = Format::name;

    template <class Size>
    static bool encode(const float* values, Size, std::uint8_t* codes, std::uint16_t& scale)
    {
        const auto peak = largest_magnitude<block>(values);
        if (peak >= float_infinity) return false;
        if (std::bit_cast<float>(peak) < smallest_peak) {
            std::fill_n(codes, block, std::uint8_t{0});
            scale = 0;
            return true;
        }
        scale = scale_up(std::bit_cast<float>(peak), Format::largest);
        const auto inverse = 1 / bf16_value(scale);
        float scaled[block];
        for (std::size_t i = 0; i < block; ++i) scaled[i] = values[i] * inverse;
        round_now(scaled);
        for (std::size_t i = 0; i < block; ++i) codes[i] = minifloat_code<Format>(scaled[i]);
        return true;
    }

    /// The largest code is always among them: the scale exceeds its share of the largest magnitude
    /// by less than 1 in 128, much less than the distance between codes. Infinities and NaN lie
    /// above it. Products are exact.
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
