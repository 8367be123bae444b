#pragma once

#include <papilio/base/config.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>

// From numbers that may be anything, such as those of options and of other peers, to those that
// have limits: what is beyond a limit becomes the limit. The plain casts would be undefined there.
namespace papilio::inline PAPILIO_MODE {

/// `value` without its fraction; beyond the range of `To`, the nearest of that range. A NaN is 0.
template <std::integral To>
constexpr To saturate(double value) noexcept
{
    // As a double the highest value may be rounded up, beyond what `To` can hold.
    constexpr auto highest = static_cast<double>(std::numeric_limits<To>::max());
    constexpr auto lowest = static_cast<double>(std::numeric_limits<To>::min());
    if (value >= highest) return std::numeric_limits<To>::max();
    if (value <= lowest) return std::numeric_limits<To>::min();
    return value == value ? static_cast<To>(value) : To{0};
}

/// So many seconds, to the nanosecond below; beyond 292 years, either way, the longest duration.
constexpr std::chrono::nanoseconds saturated_seconds(double seconds) noexcept
{
    return std::chrono::nanoseconds(saturate<std::chrono::nanoseconds::rep>(seconds * 1e9));
}

}  // namespace papilio
