#pragma once

#include <papilio/base/config.hpp>

#include <bit>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

namespace detail {
constexpr std::uint16_t f16_bits(float value) noexcept;
constexpr float f16_value(std::uint16_t bits) noexcept;
constexpr std::uint16_t bf16_bits(float value) noexcept;
constexpr float bf16_value(std::uint16_t bits) noexcept;
}  // namespace detail

/// IEEE binary16: 11 significant bits, finite up to 65504. It stores; arithmetic happens in float,
/// into which it converts exactly. Construction rounds to nearest, ties to even: overflow gives
/// infinity, NaN stays a quiet NaN. Left uninitialised unless written `f16{}`.
struct f16 {
    std::uint16_t bits;

    f16() = default;
    explicit constexpr f16(float value) noexcept : bits(detail::f16_bits(value)) {}

    constexpr operator float() const noexcept { return detail::f16_value(bits); }
};

/// The upper half of a float: its whole range, 8 significant bits. Otherwise like `f16`.
struct bf16 {
    std::uint16_t bits;

    bf16() = default;
    explicit constexpr bf16(float value) noexcept : bits(detail::bf16_bits(value)) {}

    constexpr operator float() const noexcept { return detail::bf16_value(bits); }
};

}  // namespace papilio

// No branches, so that loops over these become vector code even where the compiler may use nothing
// newer than SSE2. Comparisons are between signed integers for the same reason.
namespace papilio::inline PAPILIO_MODE::detail {

inline constexpr std::int32_t float_infinity = 0x7f800000;

/// `yes` where `condition` holds, else `no`. Compilers turn the conditional operator into a branch
/// where one side costs something.
constexpr std::uint32_t select(bool condition, std::uint32_t yes, std::uint32_t no) noexcept
{
    const auto mask = 0u - static_cast<std::uint32_t>(condition);
    return (yes & mask) | (no & ~mask);
}

// After F. Giesen, "Float to half done quick": normal numbers are rounded in integers, subnormal
// ones by adding 0.5, whose last place is the smallest f16.
constexpr std::uint16_t f16_bits(float value) noexcept
{
    constexpr std::int32_t first_normal = 113 << 23;    // 2^-14
    constexpr std::int32_t first_overflow = 143 << 23;  // 2^16
    const auto all = std::bit_cast<std::uint32_t>(value);
    const auto magnitude = all & 0x7fffffff;
    const auto order = static_cast<std::int32_t>(magnitude);

    const auto odd = magnitude >> 13 & 1;
    const auto normal = (magnitude - (112u << 23) + 0xfff + odd) >> 13;
    const auto small = std::bit_cast<float>(select(order < first_normal, magnitude, 0));
    const auto subnormal = std::bit_cast<std::uint32_t>(small + 0.5f) - 0x3f000000;
    const auto nan = 0x7e00 | (magnitude >> 13 & 0x3ff);

    const auto finite = select(order < first_normal, subnormal, normal);
    const auto beyond = select(order > float_infinity, nan, 0x7c00);
    const auto rounded = select(order < first_overflow, finite, beyond);
    return static_cast<std::uint16_t>((all >> 16 & 0x8000) | rounded);
}

constexpr float f16_value(std::uint16_t bits) noexcept
{
    constexpr std::int32_t first_normal = 1 << 23;
    constexpr std::int32_t infinity = 0x7c00 << 13;
    const auto sign = (bits & 0x8000u) << 16;
    const auto magnitude = (bits & 0x7fffu) << 13;
    const auto order = static_cast<std::int32_t>(magnitude);

    const auto normal = magnitude + (112u << 23);
    const auto subnormal = std::bit_cast<std::uint32_t>(
        std::bit_cast<float>(magnitude + (113u << 23)) - std::bit_cast<float>(113u << 23));
    const auto quiet = select(order > infinity, 1 << 22, 0);

    const auto finite = select(order < first_normal, subnormal, normal);
    const auto beyond = static_cast<std::uint32_t>(float_infinity) | magnitude | quiet;
    return std::bit_cast<float>(sign | select(order < infinity, finite, beyond));
}

constexpr std::uint16_t bf16_bits(float value) noexcept
{
    const auto all = std::bit_cast<std::uint32_t>(value);
    const auto order = static_cast<std::int32_t>(all & 0x7fffffff);
    const auto rounded = (all + 0x7fff + (all >> 16 & 1)) >> 16;
    const auto nan = all >> 16 | 0x40;
    return static_cast<std::uint16_t>(select(order > float_infinity, nan, rounded));
}

constexpr float bf16_value(std::uint16_t bits) noexcept
{
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace papilio::detail
