#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/codec/half_scale.hpp>
#include <papilio/codec/scale.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

// How codecs that send a few elements of a chunk store their values. Each kind has
// - `code`, a number for descriptors;
// - `size(k)`: the bytes that `k` values take;
// - `encode(values, k, to)`: the values are finite;
// - `decode(from, k, values)`: false for bytes that `encode` could not have written. What it
//   decodes is finite.
namespace papilio::inline PAPILIO_MODE {

/// Each value as an f16, under a power of two that leaves none too small or too large: 16 bits.
struct half_values {
    static constexpr std::uint8_t code = 1;

    static constexpr std::size_t size(std::size_t k) noexcept { return 2 + 2 * k; }
    static void encode(const float* values, std::size_t k, std::byte* to) noexcept;
    static bool decode(const std::byte* from, std::size_t k, float* values) noexcept;
};

/// Each value as its sign and one of two magnitudes, chosen for the chunk: 2 bits. Loses little of
/// the largest magnitudes, which are much alike.
struct two_bit_values {
    static constexpr std::uint8_t code = 2;

    static constexpr std::size_t size(std::size_t k) noexcept { return 4 + k / 4 + (k % 4 != 0); }
    static void encode(const float* values, std::size_t k, std::byte* to) noexcept;
    static bool decode(const std::byte* from, std::size_t k, float* values) noexcept;
};

/// Each value as its sign, times the mean magnitude: 1 bit.
struct sign_values {
    static constexpr std::uint8_t code = 3;

    static constexpr std::size_t size(std::size_t k) noexcept { return 2 + k / 8 + (k % 8 != 0); }
    static void encode(const float* values, std::size_t k, std::byte* to) noexcept;
    static bool decode(const std::byte* from, std::size_t k, float* values) noexcept;
};

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

inline float peak_of(const float* values, std::size_t k) noexcept
{
    float peak = 0;
    for (std::size_t i = 0; i < k; ++i) peak = std::max(peak, std::abs(values[i]));
    return peak;
}

/// The two magnitudes that stand for all: S. Lloyd's iteration from the mean on, which here
/// settles within a few steps. Their order, and that of each sum, is part of the format.
struct two_levels {
    double low = 0, high = 0;

    constexpr two_levels(const float* values, std::size_t k) noexcept
    {
        for (std::size_t i = 0; i < k; ++i) low += std::abs(static_cast<double>(values[i]));
        low = high = low / static_cast<double>(k);
        for (int step = 0; step < 4; ++step) {
            const double limit = (low + high) / 2;
            double below = 0, above = 0;
            std::size_t few = 0;
            for (std::size_t i = 0; i < k; ++i) {
                const double magnitude = std::abs(static_cast<double>(values[i]));
                const bool large = magnitude > limit;
                above += large ? magnitude : 0;
                below += large ? 0 : magnitude;
                few += large ? 1 : 0;
            }
            if (few == 0) break;
            low = below / static_cast<double>(k - few);
            high = above / static_cast<double>(few);
        }
    }
};

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

inline void half_values::encode(const float* values, std::size_t k, std::byte* to) noexcept
{
    const detail::half_scale by(detail::peak_of(values, k));
    if (by.bits == 0) {
        std::fill_n(to, size(k), std::byte{0});
        return;
    }
    store(to, by.bits);
    for (std::size_t i = 0; i < k; ++i) {
        float scaled = values[i] * by.inverse;
        detail::round_now(&scaled);
        const auto half = f16(scaled).bits;
        const auto magnitude =
            std::min(static_cast<std::uint16_t>(half & 0x7fff), detail::half_scale::most(by.bits));
        store(to + 2 + 2 * i, static_cast<std::uint16_t>((half & 0x8000) | magnitude));
    }
}

inline bool half_values::decode(const std::byte* from, std::size_t k, float* values) noexcept
{
    const auto scale = load<std::uint16_t>(from);
    std::uint16_t largest = 0, any = 0;
    for (std::size_t i = 0; i < k; ++i) {
        const auto value = load<f16>(from + 2 + 2 * i);
        largest = std::max(largest, static_cast<std::uint16_t>(value.bits & 0x7fff));
        any = static_cast<std::uint16_t>(any | value.bits);
        values[i] = static_cast<float>(value) * detail::bf16_value(scale);
    }
    if (scale == 0) return any == 0;
    return detail::half_scale::possible(scale) && largest >= detail::half_scale::least &&
           largest <= detail::half_scale::most(scale);
}

inline void two_bit_values::encode(const float* values, std::size_t k, std::byte* to) noexcept
{
    const detail::two_levels levels(values, k);
    const auto low = detail::level(levels.low), high = detail::level(levels.high);
    store(to, low);
    store(to + 2, high);
    std::fill_n(to + 4, size(k) - 4, std::byte{0});
    if (high == 0) return;
    const double limit = (static_cast<double>(detail::bf16_value(low)) +
                          static_cast<double>(detail::bf16_value(high))) /
                         2;
    for (std::size_t i = 0; i < k; ++i) {
        const unsigned sign = std::signbit(values[i]) ? 1 : 0;
        const unsigned large = std::abs(static_cast<double>(values[i])) > limit ? 2 : 0;
        to[4 + i / 4] |= static_cast<std::byte>((sign | large) << 2 * (i % 4));
    }
}

inline bool two_bit_values::decode(const std::byte* from, std::size_t k, float* values) noexcept
{
    const auto low = load<std::uint16_t>(from), high = load<std::uint16_t>(from + 2);
    if (!detail::is_level(low) || !detail::is_level(high) || low > high) return false;
    const float magnitudes[2] = {detail::bf16_value(low), detail::bf16_value(high)};
    unsigned any = 0;
    for (std::size_t i = 0; i < k; ++i) {
        const auto two = std::to_integer<unsigned>(from[4 + i / 4]) >> 2 * (i % 4) & 3;
        any |= two;
        values[i] = two & 1 ? -magnitudes[two >> 1] : magnitudes[two >> 1];
    }
    if (high == 0 && any != 0) return false;
    return k % 4 == 0 || std::to_integer<unsigned>(from[size(k) - 1]) >> 2 * (k % 4) == 0;
}

inline void sign_values::encode(const float* values, std::size_t k, std::byte* to) noexcept
{
    double sum = 0;
    for (std::size_t i = 0; i < k; ++i) sum += std::abs(static_cast<double>(values[i]));
    const auto scale = detail::level(sum / static_cast<double>(k));
    store(to, scale);
    std::fill_n(to + 2, size(k) - 2, std::byte{0});
    if (scale == 0) return;
    for (std::size_t i = 0; i < k; ++i)
        if (std::signbit(values[i])) to[2 + i / 8] |= std::byte{1} << i % 8;
}

inline bool sign_values::decode(const std::byte* from, std::size_t k, float* values) noexcept
{
    const auto scale = load<std::uint16_t>(from);
    const float magnitude = detail::bf16_value(scale);
    unsigned any = 0;
    for (std::size_t i = 0; i < k; ++i) {
        const auto sign = std::to_integer<unsigned>(from[2 + i / 8]) >> i % 8 & 1;
        any |= sign;
        values[i] = sign ? -magnitude : magnitude;
    }
    if (!detail::is_level(scale) || (scale == 0 && any != 0)) return false;
    return k % 8 == 0 || std::to_integer<unsigned>(from[size(k) - 1]) >> k % 8 == 0;
}

}  // namespace papilio
