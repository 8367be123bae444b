#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <chrono>

namespace papilio::inline PAPILIO_MODE::detail {

/// How long a call's views have time, and when the next one is due.
class view_times {
public:
    /// The call has begun at `begin` and ends within `limit`. `round_trip` is the longest to a
    /// voter that this one meets, over links that carry nothing else. A message to a peer that is
    /// in order may take as long as `patience`: behind what is under way, to a process that waits
    /// for its turn on a processor.
    view_times(time_point begin, duration limit, duration round_trip,
               duration patience = std::chrono::milliseconds(50))
        : end_(later(begin, limit)),
          least_(std::max(patience, 4 * round_trip)),
          most_(limit / 4),
          reserve_(std::max(limit / 16, 3 * round_trip / 2))
    {
    }

    time_point end() const noexcept { return end_; }

    /// A view is promised now, and so many lie between it and the one joined last. It has twice as
    /// long for each of them. Members of that last view find the same: were it by how many views a
    /// peer itself has tried, those that hear of a view late would be the first to leave it.
    void begin(time_point now, int failed)
    {
        const auto given = std::min(least_ * (1 << std::min(failed, 20)), most_);
        asks_ = now + given / 2;
        quarter_ = given / 4;
        joins_ = later(now, promise_late());
        complained(now);
        ends_ = now + given;
    }

    /// Somebody has complained about another one: more may soon.
    void complained(time_point now) noexcept { strikes_ = now + quarter_; }

    /// A view was joined.
    void joined() noexcept { asks_ = strikes_ = joins_ = ends_ = time_point::max(); }

    /// Too little time is left for another view.
    bool too_late(time_point now) const noexcept { return now > end_ - reserve_; }

    /// From when on whoever has not promised the view is complained about; once for each view.
    bool asks(time_point now)
    {
        if (now < asks_) return false;
        asks_ = time_point::max();
        return true;
    }

    /// From when on whoever is in conflict with another one is left out; once for each view.
    bool strikes(time_point now)
    {
        if (now < strikes_) return false;
        strikes_ = time_point::max();
        return true;
    }

    /// Whether `asks` has been true in this view.
    bool asked() const noexcept { return asks_ == time_point::max(); }

    /// Whether a promise that has been awaited since then is late, if others miss it as well.
    bool late(time_point since, time_point now) const noexcept
    {
        return now >= since + promise_late();
    }

    /// From when on this peer complains with others who miss the same promise; once for each view.
    bool joins(time_point now)
    {
        if (now < joins_) return false;
        joins_ = time_point::max();
        return true;
    }

    /// Whether `strikes` has been true in this view.
    bool struck() const noexcept { return strikes_ == time_point::max(); }

    /// The view's proposal has not come in time.
    bool over(time_point now) const noexcept { return now >= ends_; }

    time_point next() const noexcept { return std::min({asks_, strikes_, joins_, ends_, end_}); }

private:
    /// Before anybody is struck, so that who complains first is not alone for long.
    duration promise_late() const noexcept { return 3 * (quarter_ / 4); }

    time_point end_;
    duration least_;
    duration most_;
    duration reserve_;
    duration quarter_{};
    time_point asks_ = time_point::max();
    time_point strikes_ = time_point::max();
    time_point joins_ = time_point::max();
    time_point ends_ = time_point::max();
};

}  // namespace papilio::detail
