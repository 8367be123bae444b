#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/codec/kernels/base.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

// hivemind's uniform8, the reference: where its elements lie, their codes, and back. A bucket's sum
// is counted in integers, which may be added in any order; all other sums in lanes.
namespace papilio::inline PAPILIO_MODE::detail {

inline void add_moments(const float* values, std::size_t n, float origin, moments& to)
{
    for (std::size_t i = 0; i < n; i += sum_lanes) {
        double off[sum_lanes], squares[sum_lanes];
        for (std::size_t k = 0; k < sum_lanes; ++k)
            off[k] = static_cast<double>(values[i + k]) - static_cast<double>(origin);
        for (std::size_t k = 0; k < sum_lanes; ++k) squares[k] = off[k] * off[k];
        round_now(squares);
        for (std::size_t k = 0; k < sum_lanes; ++k) to.sums[k] += off[k];
        for (std::size_t k = 0; k < sum_lanes; ++k) to.squares[k] += squares[k];
    }
}

/// Brought between the last codes before it is rounded, not after: no code differs.
inline void classify(const float* values, std::size_t n, uniform8_scale by, bucket_tile& tile)
{
    constexpr float rounder = 0x1.8p23f;  // added, it rounds to an integer, ties to even
    for (std::size_t i = 0; i < n; i += sum_lanes) {
        float scaled[sum_lanes];
        for (std::size_t k = 0; k < sum_lanes; ++k)
            scaled[k] = (values[i + k] - by.mean) * by.inverse;
        round_now(scaled);
        for (std::size_t k = 0; k < sum_lanes; ++k) {
            const float within = std::min(std::max(scaled[k], -128.0f), 127.0f);
            const float whole = (within + rounder) - rounder;
            const auto code = static_cast<std::int32_t>(whole) + 128;
            const bool inner = code > 0 && code < 255;
            const float off = inner ? (within - whole) * bucket_tile::fraction : 0;
            tile.codes[i + k] = static_cast<std::uint8_t>(code);
            tile.words[i + k] = bucket_tile::once + static_cast<std::int32_t>(off);
            tile.low[k] += code == 0 ? static_cast<double>(values[i + k]) : 0;
            tile.high[k] += code == 255 ? static_cast<double>(values[i + k]) : 0;
        }
    }
}

inline void look_up(const std::byte* codes, std::size_t n, const float* codebook, float* values)
{
    for (std::size_t i = 0; i < n; ++i)
        values[i] = codebook[std::to_integer<std::size_t>(codes[i])];
}

inline constexpr uniform8_kernels scalar_uniform8{add_moments, classify, look_up};

}  // namespace papilio::detail
