#pragma once

#include <bit>
#include <cstdint>

namespace papilio {

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

// Selections between integers and no branches, so that loops over them become vector code even
// where the compiler may use nothing newer than SSE2. Comparisons are signed for the same reason.
namespace papilio::detail {

inline constexpr std::uint32_t float_magnitude = 0x7fffffff;
inline constexpr std::uint32_t float_infinity = 0x7f800000;

// After F. Giesen, "Float to half done quick": normal numbers are rounded in integers, subnormal
// ones by adding 0.5, whose last place is the smallest f16.
constexpr std::uint16_t f16_bits(float value) noexcept
{
    constexpr std::int32_t first_normal = 113 << 23;    // 2^-14
    constexpr std::int32_t first_overflow = 143 << 23;  // 2^16
    const auto all = std::bit_cast<std::uint32_t>(value);
    const auto magnitude = all & float_magnitude;
    const auto order = static_cast<std::int32_t>(magnitude);

    const auto odd = magnitude >> 13 & 1;
    const auto normal = (magnitude - (112u << 23) + 0xfff + odd) >> 13;
    const auto small = std::bit_cast<float>(order < first_normal ? magnitude : 0u);
    const auto subnormal = std::bit_cast<std::uint32_t>(small + 0.5f) - 0x3f000000;
    const auto nan = 0x7e00 | (magnitude >> 13 & 0x3ff);
    const auto beyond = order > static_cast<std::int32_t>(float_infinity) ? nan : 0x7c00;

    const auto finite = order < first_normal ? subnormal : normal;
    const auto rounded = order < first_overflow ? finite : beyond;
    return static_cast<std::uint16_t>((all >> 16 & 0x8000u) | rounded);
}

constexpr float f16_value(std::uint16_t bits) noexcept
{
    constexpr std::uint32_t infinity = 0x7c00 << 13;
    const std::uint32_t sign = (bits & 0x8000u) << 16;
    const std::uint32_t shifted = (bits & 0x7fffu) << 13;
    const auto order = static_cast<std::int32_t>(shifted);

    const auto normal = shifted + (112u << 23);
    const auto subnormal = std::bit_cast<std::uint32_t>(
        std::bit_cast<float>(shifted + (113u << 23)) - std::bit_cast<float>(113u << 23));
    const auto quiet = order > static_cast<std::int32_t>(infinity) ? 1u << 22 : 0u;
    const auto beyond = float_infinity | shifted | quiet;

    const auto finite = order < 1 << 23 ? subnormal : normal;
    const auto magnitude = order < static_cast<std::int32_t>(infinity) ? finite : beyond;
    return std::bit_cast<float>(sign | magnitude);
}

constexpr std::uint16_t bf16_bits(float value) noexcept
{
    const auto all = std::bit_cast<std::uint32_t>(value);
    const auto order = static_cast<std::int32_t>(all & float_magnitude);
    const auto rounded = (all + 0x7fff + (all >> 16 & 1)) >> 16;
    const auto nan = all >> 16 | 0x40;
    return static_cast<std::uint16_t>(order > static_cast<std::int32_t>(float_infinity) ? nan
                                                                                        : rounded);
}

constexpr float bf16_value(std::uint16_t bits) noexcept
{
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace papilio::detail
