#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/swarm/member.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Whether the next group may be held for this member, which fetches the run's state or an earlier
/// one, that rounds have left behind meanwhile: once, and once more where its last transfer tells
/// that it will be complete in time. Also for a newcomer that has fetched it in vain, since it came
/// while others averaged.
inline bool may_hold_for(const member& m, std::uint32_t round, time_point now, duration limit)
{
    constexpr int most = 2;
    const auto& f = m.fetch;
    const bool fetches = f.active && f.round <= round;
    const bool left_behind = m.state == member_state::outdated && f.took && !m.had_chance;
    if ((!fetches && !left_behind) || f.holds >= most) return false;
    if (!f.took || !fetches) return f.holds == 0;
    return f.since + *f.took + *f.took / 4 <= later(now, limit);
}

/// A group that is due waits for members that fetch the state, so that they are in it. Otherwise
/// one whose transfer takes longer than a round would fetch for ever. Each round waits once, and
/// not after a round that has waited in vain, so that members that never come cost every other
/// round `limit` at most.
class fetch_hold {
public:
    explicit fetch_hold(duration limit) : limit_(limit) {}

    /// Whether a group is held at present.
    bool active() const noexcept { return !ids_.empty(); }
    const std::vector<std::uint16_t>& members() const noexcept { return ids_; }
    time_point until() const noexcept { return later(since_, limit_); }
    duration lasted(time_point now) const noexcept { return now - since_; }

    /// A group of this round is due. Begins to hold it for the members that fetch, if it may.
    bool begin(member_map& members, std::uint32_t round, time_point now)
    {
        if (round < may_hold_from_ || limit_ <= duration{}) return false;
        for (auto& [id, m] : members) {
            if (!may_hold_for(m, round, now, limit_)) continue;
            ++m.fetch.holds;
            ids_.push_back(id);
        }
        since_ = now;
        may_hold_from_ = round + 1;
        return active();
    }

    /// Whether those that are waited for have come, are gone, or have used up the time. Whoever has
    /// fetched an earlier state goes on to fetch the run's, which stays the same as long as the
    /// group is held: so it catches up even where rounds follow one another at once.
    bool over(const member_map& members, time_point now) const
    {
        if (now >= until()) return true;
        return std::ranges::none_of(ids_, [&](std::uint16_t id) {
            const auto found = members.find(id);
            if (found == members.end()) return false;
            const auto state = found->second.state;
            return state == member_state::outdated || state == member_state::training;
        });
    }

    /// Ends it. True: in vain, since none of them is ready.
    bool end(const member_map& members)
    {
        const bool in_vain = std::ranges::none_of(ids_, [&](std::uint16_t id) {
            const auto found = members.find(id);
            return found != members.end() && found->second.state == member_state::ready;
        });
        if (in_vain) ++may_hold_from_;
        ids_.clear();
        return in_vain;
    }

    /// The run goes on from another state, whose round may be an earlier one.
    void begin_anew() noexcept
    {
        ids_.clear();
        may_hold_from_ = 0;
    }

private:
    duration limit_;
    std::vector<std::uint16_t> ids_;  // that are waited for
    time_point since_{};
    std::uint32_t may_hold_from_ = 0;  // the first that may be held again
};

}  // namespace papilio::detail
