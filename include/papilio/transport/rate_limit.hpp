#pragma once

#include <papilio/async/loop.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace papilio {

/// A token bucket: so many bytes a second, whoever sends them, and no more than a hundredth of a
/// second's worth at once after a pause. Those who share one take turns.
class rate_limit {
public:
    /// Zero: no limit.
    explicit rate_limit(std::uint64_t bytes_per_second) noexcept
        : rate_(static_cast<double>(bytes_per_second))
    {
    }

    bool limits() const noexcept { return rate_ > 0; }

    /// Bytes to ask for at a time, so that others have their turn.
    std::size_t turn() const noexcept
    {
        if (!limits()) return std::numeric_limits<std::size_t>::max();
        return static_cast<std::size_t>(std::clamp(rate_ * slack_seconds / 2, 256.0, 65536.0));
    }

    /// When the next `n` bytes may go: `now` or later.
    time_point reserve(std::size_t n, time_point now) noexcept
    {
        if (!limits()) return now;
        const auto starts = std::max(free_, now - seconds(slack_seconds));
        free_ = starts + time_of(n);
        return std::max(starts, now);
    }

    /// `n` bytes of what was reserved did not go after all.
    void give_back(std::size_t n) noexcept
    {
        if (limits()) free_ -= time_of(n);
    }

private:
    static constexpr double slack_seconds = 0.01;

    static duration seconds(double s) noexcept
    {
        return duration(static_cast<std::int64_t>(s * 1e9));
    }
    duration time_of(std::size_t n) const noexcept
    {
        return seconds(static_cast<double>(n) / rate_);
    }

    double rate_;
    time_point free_{};  // when all that is reserved has gone
};

}  // namespace papilio
