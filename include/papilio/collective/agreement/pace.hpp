#pragma once

#include <papilio/async/event.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace papilio::inline PAPILIO_MODE::detail {

/// How fast the messages of a call come, and so how long one may be missed before something is
/// wrong: the *progress deadline*.
///
/// It follows the gaps between messages from one peer while that peer owed another one, of all
/// peers together: in a call everybody is as slow as the slowest. It is told the longest gap of
/// each peer between two looks, since messages come in bunches, one for each column, within which
/// gaps are next to nothing. What was seen says how long a gap may get:
/// - ten times the median, so that a link may slow to a tenth, for a neighbour's transfer for
///   instance, and the chunk that is on its way then still comes in time;
/// - three times the longest: who stood still for a second before may do so again, longer.
///
/// An eighth of the call's timeout is enough for that, since a vote has three deadlines, and a view
/// after it must still have time. Where even twice the longest gap is more, the call is too slow
/// for its timeout, which is nobody's fault.
class pace {
public:
    /// A peer may stop for this long and be in order: a process on a loaded machine, a loop that
    /// prepares something large, a packet that is lost three times. Stalls of a second are seen in
    /// practice. Less, though, where the timeout is short: three deadlines are to fit into it.
    static constexpr duration least = std::chrono::seconds(2);

    /// Fewer gaps say nothing.
    static constexpr std::size_t enough = 4;

    /// For a call that ends within `limit`.
    explicit pace(duration limit) noexcept : limit_(limit) {}

    /// A message came so long after the one before it.
    void tell(duration gap) noexcept
    {
        latest_[count_++ % latest_.size()] = gap;
        longest_ = std::max(longest_, gap);
    }

    /// How long a message may be missed; nothing while too few have come. `round_trip` is the
    /// longest to a partner: four times that covers a lost packet and the answer to the second try.
    std::optional<duration> deadline(duration round_trip = {}) const
    {
        if (count_ < enough) return std::nullopt;
        const auto seen = std::min(std::max(10 * median(), 3 * longest_), limit_ / 8);
        return std::max({std::min(least, limit_ / 4), 4 * round_trip, 2 * longest_, seen});
    }

private:
    duration median() const
    {
        auto gaps = latest_;
        const auto end = gaps.begin() + static_cast<std::ptrdiff_t>(std::min(count_, gaps.size()));
        const auto middle = gaps.begin() + (end - gaps.begin()) / 2;
        std::nth_element(gaps.begin(), middle, end);
        return *middle;
    }

    duration limit_;
    std::array<duration, 64> latest_{};  // so that a link that has become slow is soon known
    std::size_t count_ = 0;              // of all there were
    duration longest_{};                 // of all: a burst of others must not push it out
};

}  // namespace papilio::detail
