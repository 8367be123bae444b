#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/float16.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

/// Eight bits with a sign, four of exponent and three of mantissa, as the Open Compute Project
/// defines them: up to 448, no infinity.
struct e4m3 {
    static constexpr int exponent_bits = 4;
    static constexpr int mantissa_bits = 3;
    static constexpr int bias = 7;
    static constexpr float largest = 448;
    static constexpr std::uint8_t largest_code = 0x7e;
    static constexpr const char* name = "fp8<e4m3>";
};

/// Eight bits with a sign, five of exponent and two of mantissa: the upper half of an IEEE
/// binary16, up to 57344.
struct e5m2 {
    static constexpr int exponent_bits = 5;
    static constexpr int mantissa_bits = 2;
    static constexpr int bias = 15;
    static constexpr float largest = 57344;
    static constexpr std::uint8_t largest_code = 0x7b;
    static constexpr const char* name = "fp8<e5m2>";
};

/// Four bits: 0, 0.5, 1, 1.5, 2, 3, 4 and 6, with a sign.
struct e2m1 {
    static constexpr int exponent_bits = 2;
    static constexpr int mantissa_bits = 1;
    static constexpr int bias = 1;
    static constexpr float largest = 6;
    static constexpr std::uint8_t largest_code = 7;
    static constexpr const char* name = "fp4";
};

}  // namespace papilio

// Like base/float16.hpp: no branches, and comparisons between signed integers, for vector code.
namespace papilio::inline PAPILIO_MODE::detail {

/// Rounded to the nearest `Format`, ties to even; beyond its largest value, to that. Not for NaN.
template <class Format>
constexpr std::uint8_t minifloat_code(float value) noexcept
{
    constexpr int shift = 23 - Format::mantissa_bits;
    constexpr std::int32_t first_normal = (128 - Format::bias) << 23;
    // A float whose last place is the smallest value of the format.
    constexpr std::uint32_t rounder = (128u - Format::bias + shift) << 23;
    const auto all = std::bit_cast<std::uint32_t>(value);
    const auto magnitude = all & 0x7fffffff;
    const auto order = static_cast<std::int32_t>(magnitude);

    const auto odd = magnitude >> shift & 1;
    const auto half = (1u << (shift - 1)) - 1 + odd;
    const auto normal = (magnitude - ((127u - Format::bias) << 23) + half) >> shift;
    const auto small = std::bit_cast<float>(select(order < first_normal, magnitude, 0));
    const auto subnormal =
        std::bit_cast<std::uint32_t>(small + std::bit_cast<float>(rounder)) - rounder;

    const auto rounded = static_cast<std::int32_t>(select(order < first_normal, subnormal, normal));
    const auto code = std::min(rounded, std::int32_t{Format::largest_code});
    constexpr int sign_at = Format::exponent_bits + Format::mantissa_bits;
    return static_cast<std::uint8_t>((all >> 31 << sign_at) | static_cast<std::uint32_t>(code));
}

/// Exact. Not for the codes of infinities and NaN, which no codec accepts.
template <class Format>
constexpr float minifloat_value(std::uint8_t code) noexcept
{
    constexpr int shift = 23 - Format::mantissa_bits;
    constexpr int sign_at = Format::exponent_bits + Format::mantissa_bits;
    constexpr std::uint32_t one_up = (128u - Format::bias) << 23;
    const auto sign = static_cast<std::uint32_t>(code) >> sign_at << 31;
    const auto magnitude = (code & ((1u << sign_at) - 1)) << shift;

    const auto normal = magnitude + ((127u - Format::bias) << 23);
    const auto subnormal = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude + one_up) -
                                                        std::bit_cast<float>(one_up));
    const bool is_small = static_cast<std::int32_t>(magnitude) < (1 << 23);
    return std::bit_cast<float>(sign | select(is_small, subnormal, normal));
}

}  // namespace papilio::detail
