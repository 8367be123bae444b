#pragma once

#include <papilio/base/config.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

// Figures for people to read; files and the wire carry plain numbers.
namespace papilio::inline PAPILIO_MODE {

/// "1536 B" as "1.5 KiB": sizes in memory, in powers of 1024.
std::string human_bytes(std::uint64_t count);

/// "250 us", "1.5 s", "2 min 5 s", "3 h 20 min".
std::string human_duration(std::chrono::nanoseconds time);

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// At most three significant digits, and no digits after a point that say nothing.
inline std::string short_number(double value)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), value < 999.5 ? "%.3g" : "%.0f", value);
    return text.data();
}

inline std::string with_unit(double value, double step, std::span<const char* const> units)
{
    std::size_t i = 0;
    // 999.5 would print as 1000: the next unit reads better.
    for (; i + 1 < units.size() && value >= (step < 1024 ? 999.5 : 1023.5); ++i) value /= step;
    return short_number(value) + " " + units[i];
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

inline std::string human_bytes(std::uint64_t count)
{
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    return detail::with_unit(static_cast<double>(count), 1024, units);
}

inline std::string human_duration(std::chrono::nanoseconds time)
{
    // Neither the negative of the shortest duration nor the rounding of the longest would fit.
    constexpr auto most = std::chrono::nanoseconds::max() - std::chrono::seconds(1);
    time = std::clamp(time, -most, most);
    if (time < std::chrono::nanoseconds{0}) return std::string("-").append(human_duration(-time));
    if (time == std::chrono::nanoseconds{0}) return "0 s";
    constexpr std::array units{"ns", "us", "ms", "s"};
    const auto seconds = std::chrono::round<std::chrono::seconds>(time).count();
    if (seconds < 60) return detail::with_unit(static_cast<double>(time.count()), 1000, units);
    if (seconds < 3600)
        return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
    const auto minutes = (seconds + 30) / 60;
    return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
}

}  // namespace papilio
