#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace papilio::inline PAPILIO_MODE::detail {

/// A token bucket: limits the bytes per second of all users together, and after a pause lets no
/// more than a hundredth of a second's worth pass at once. Several users take turns.
class rate_limit {
public:
    /// Zero means no limit.
    explicit rate_limit(std::uint64_t bytes_per_second) noexcept
        : rate_(static_cast<double>(bytes_per_second))
    {
    }

    bool limits() const noexcept { return rate_ > 0; }

    /// How many bytes to reserve at a time, so that other users have their turn.
    std::size_t turn() const noexcept
    {
        if (!limits()) return std::numeric_limits<std::size_t>::max();
        return static_cast<std::size_t>(std::clamp(rate_ * slack_seconds / 2, 256.0, 65536.0));
    }

    /// Reserves `n` bytes, and returns the time at which they may pass: `now` or later.
    time_point reserve(std::size_t n, time_point now) noexcept
    {
        if (!limits()) return now;
        const auto starts = std::max(free_, now - seconds(slack_seconds));
        free_ = starts + time_of(n);
        return std::max(starts, now);
    }

    /// Returns `n` bytes that were reserved and did not pass.
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
    time_point free_{};  // when all reserved bytes have passed
};

}  // namespace papilio::detail
