#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <utility>

namespace papilio::example {

/// What the time of a round goes into. `waiting` is until the others are ready, too; `averaging`
/// from then on until the state after the round is agreed on; `checkpoint_wait` is for a snapshot,
/// and for the checkpoint before it to be written; `other` is the rest, such as reports and
/// evaluations.
enum class round_part : std::uint8_t { steps, waiting, averaging, checkpoint_wait, other };

inline constexpr std::pair<round_part, const char*> round_part_names[] = {
    {round_part::steps, "steps"},         {round_part::waiting, "waiting"},
    {round_part::averaging, "averaging"}, {round_part::checkpoint_wait, "checkpoint_wait"},
    {round_part::other, "other"},
};

/// A watch that says how a round's time is divided among its parts. It is always in one of them, so
/// that together they are the whole.
class round_times {
public:
    using clock = std::chrono::steady_clock;

    explicit round_times(clock::time_point now = clock::now()) { begin(now); }

    /// From `now` on the time goes into another part. A time before another part was entered counts
    /// as that one.
    void enter(round_part next, clock::time_point now = clock::now())
    {
        now = std::max(now, since_);
        of(current_) += std::chrono::duration<double>(now - since_).count();
        since_ = now;
        current_ = next;
    }

    /// Begins a round, in its part `other`.
    void begin(clock::time_point now = clock::now())
    {
        seconds_ = {};
        since_ = now;
        current_ = round_part::other;
    }

    /// Seconds, until a part was entered last.
    double seconds(round_part p) const { return seconds_[static_cast<std::size_t>(p)]; }
    double whole() const { return std::accumulate(seconds_.begin(), seconds_.end(), 0.0); }

private:
    double& of(round_part p) { return seconds_[static_cast<std::size_t>(p)]; }

    std::array<double, std::size(round_part_names)> seconds_{};
    clock::time_point since_;
    round_part current_ = round_part::other;
};

}  // namespace papilio::example
