#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/codec/finite.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <system_error>

// What codecs with one scale per block share.
namespace papilio::inline PAPILIO_MODE::detail {

/// Blocks whose largest magnitude is below this become zeros, so that neither a scale nor its
/// inverse is ever subnormal.
inline constexpr float smallest_peak = 0x1p-100f;

/// Halves again and again, which keeps all vector units busy; a running maximum waits for itself.
template <std::size_t Size>
std::int32_t largest_of(std::int32_t* values) noexcept
{
    if constexpr (Size == 1) {
        return values[0];
    } else {
        static_assert(std::has_single_bit(Size));
        for (std::size_t i = 0; i < Size / 2; ++i)
            values[i] = std::max(values[i], values[i + Size / 2]);
        return largest_of<Size / 2>(values);
    }
}

/// The largest magnitude among `Size` values, as the bits of a float. A NaN exceeds every number.
template <std::size_t Size>
std::int32_t largest_magnitude(const float* values) noexcept
{
    std::int32_t magnitudes[Size];
    for (std::size_t i = 0; i < Size; ++i) magnitudes[i] = magnitude_of(values[i]);
    return largest_of<Size>(magnitudes);
}

/// The same as a float, or `errc::not_finite`.
template <std::size_t Size>
float finite_peak(const float* values, const char* codec)
{
    const auto largest = largest_magnitude<Size>(values);
    if (largest >= float_infinity)
        throw std::system_error(errc::not_finite,
                                std::string(codec) + " takes only finite numbers");
    return std::bit_cast<float>(largest);
}

/// `peak / most`, rounded up to a bf16 so that no quotient exceeds `most`; but down where `most`
/// times it would leave float's range, since finite numbers must decode to finite ones.
constexpr std::uint16_t scale_up(float peak, float most) noexcept
{
    const auto up = (std::bit_cast<std::uint32_t>(peak / most) + 0xffff) >> 16;
    const bool finite =
        bf16_value(static_cast<std::uint16_t>(up)) * most <= std::numeric_limits<float>::max();
    return static_cast<std::uint16_t>(finite ? up : up - 1);
}

/// Whether `scale_up` could have returned `scale` for some block that is not zero.
constexpr bool is_scale(std::uint16_t scale, float most) noexcept
{
    return scale >= scale_up(smallest_peak, most) &&
           scale <= scale_up(std::numeric_limits<float>::max(), most);
}

/// A mean magnitude as a bf16 that is a scale, or 0 below the smallest one.
constexpr std::uint16_t level(double mean) noexcept
{
    const auto rounded = bf16(static_cast<float>(mean)).bits;
    if (rounded < scale_up(smallest_peak, 1)) return 0;
    return std::min(rounded, scale_up(std::numeric_limits<float>::max(), 1));
}

/// Whether `level` could have returned this.
constexpr bool is_level(std::uint16_t level) noexcept
{
    return level == 0 || is_scale(level, 1);
}

}  // namespace papilio::detail
