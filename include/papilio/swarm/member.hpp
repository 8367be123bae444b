#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace papilio::inline PAPILIO_MODE {

/// The step of a round at which a member is. A member moves from `outdated` to `training`, `ready`,
/// `averaging` and `reported`, and then back to `training` or `outdated`. An observer that has not
/// reported when the attempt of its group ends passes through one of the two `late` states, and so
/// does a contributor without which the others went on; any other contributor is expelled instead.
enum class member_state : std::uint8_t {
    outdated,       ///< does not hold the run's state: it has just joined, or fetches the state
    training,       ///< holds the run's state and is not ready yet
    ready,          ///< holds the run's state and waits for a group
    averaging,      ///< in the current group; its report is due
    reported,       ///< in the current group; waits for the outcome
    late,           ///< its group failed before it reported; it still holds the run's state
    late_outdated,  ///< its group succeeded before it reported
};

/// What a member fetches, as far as the rendezvous knows.
struct state_fetch {
    bool active = false;
    std::uint32_t round = 0;       ///< rounds done before the state that it fetches
    time_point since{};            ///< when it began
    std::optional<duration> took;  ///< the last one that was complete
    int holds = 0;                 ///< how often a group was held for it
};

/// The state that a member says it holds, while it is not decided yet whether that is the run's.
struct state_claim {
    std::uint32_t round = 0;
    std::string digest;
    bool ready = false;  ///< it waits for a group, and does not only train
};

/// A member as the rendezvous sees it.
struct member {
    std::uint16_t id = 0;
    std::uint32_t process = 0;  ///< counts the members that have joined: no two have had the same
    std::string name;
    wire::endpoint at;
    wire::member_role role = wire::member_role::full;
    member_state state = member_state::outdated;
    bool leaving = false;           ///< is in no group any more: see `membership::report_leaving`
    bool warned = false;            ///< was told in this round that the group will not wait for it
    std::uint64_t identity = 0;     ///< the same whenever it joins; 0: not told
    bool nearby = false;            ///< its channel comes from this host, by loopback
    bool loopback_only = false;     ///< it listens at a loopback address: others cannot dial it
    bool told_unreachable = false;  ///< and that was said
    bool had_chance = false;        ///< held the run's state when a group was called
    std::uint64_t skipped = 0;      ///< how often it was ready and the group was full
    time_point ready_since{};       ///< since when it is ready, in that state
    wire::round_ready progress;     ///< its latest report of progress
    state_fetch fetch;
    std::optional<state_claim> claim;

    bool in_group() const noexcept
    {
        return state == member_state::averaging || state == member_state::reported;
    }

    bool report_late() const noexcept
    {
        return state == member_state::late || state == member_state::late_outdated;
    }

    bool report_due() const noexcept { return state == member_state::averaging || report_late(); }

    /// Others can fetch the run's state from it.
    bool gives_state() const noexcept { return up_to_date() && at.port != 0; }

    /// Holds the state after the last round that succeeded, and so can give it to others.
    bool up_to_date() const noexcept
    {
        return state != member_state::outdated && state != member_state::late_outdated;
    }
};

using member_map = std::map<std::uint16_t, member>;

}  // namespace papilio
