#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/codec/scale.hpp>

#include <bit>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::detail {

/// The power of two that `f16b` and `half_values` put over a block of f16, as the bits of a bf16:
/// 2^13 of it are the block's largest magnitude, rounded down to a power of two. Zero for blocks of
/// zeros.
struct half_scale {
    static constexpr std::uint16_t smallest = (27 - 13) << 7;  // of 2^-100
    static constexpr std::uint16_t largest = (254 - 13) << 7;

    /// The bits of 2^13, which the largest magnitude reaches beneath its scale.
    static constexpr std::uint16_t least = 0x7000;

    std::uint16_t bits = 0;
    float inverse = 0;

    explicit constexpr half_scale(float peak) noexcept
    {
        if (peak < smallest_peak) return;
        bits = static_cast<std::uint16_t>(((std::bit_cast<std::uint32_t>(peak) >> 23) - 13) << 7);
        inverse = inverse_of(bits);
    }

    static constexpr float inverse_of(std::uint16_t bits) noexcept
    {
        return std::bit_cast<float>((254u - (bits >> 7)) << 23);
    }

    /// Whether some block that is not zero has this scale.
    static constexpr bool possible(std::uint16_t bits) noexcept
    {
        return bits % 128 == 0 && bits >= smallest && bits <= largest;
    }

    /// The largest f16 that a block may hold: 2^14, to which the largest magnitude may be rounded,
    /// but what is below where 2^14 would leave float's range.
    static constexpr std::uint16_t most(std::uint16_t bits) noexcept
    {
        return bits == largest ? 0x73ff : 0x7400;
    }
};

static_assert(half_scale::least == f16(0x1p13f).bits && half_scale::most(0) == f16(0x1p14f).bits);

}  // namespace papilio::detail
