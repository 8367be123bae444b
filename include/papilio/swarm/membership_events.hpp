#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// When groups are formed, and how large they are.
struct membership_options {
    int min_group = 1;                  ///< contributors that a group needs
    int max_group = wire::max_members;  ///< contributors in a group; beyond it members take turns
    int max_members = 256;              ///< members present at once, observers not counted
    duration group_wait = std::chrono::seconds(30);     ///< for slow members, from the first ready
    duration round_timeout = std::chrono::seconds(60);  ///< limit of one attempt at a round
    duration report_grace = std::chrono::seconds(15);   ///< beyond it, for reports to arrive
    duration fetch_hold = std::chrono::seconds(60);     ///< for a member that fetches the state
    duration resume_wait =
        std::chrono::seconds(30);  ///< for the last settled group: see `run_description`
    std::uint32_t rounds = 0;      ///< of the run, after which no group is called; 0: no limit
    int donors = 16;               ///< donors of the state that a member is told of
};
static_assert(std::is_trivially_destructible_v<membership_options>);

/// Properties of the run that all members must share.
struct run_description {
    std::string name;
    std::uint64_t parameters = 0;     ///< number of the model's parameters
    std::uint64_t configuration = 0;  ///< digest of all other settings that must be equal
    std::uint32_t round = 0;          ///< rounds done before the host started; above 0 on resume
    std::string digest;               ///< of the state after those rounds; empty: unknown
    std::vector<wire::setting> settings = {};  ///< those of `configuration`, for people

    /// Identities of the voters that settled the last of those rounds. Where there are any, no
    /// group is called before more than half of them hold the same state, all have said what they
    /// hold, or `resume_wait` has passed; and if more than half hold a later state, that is the
    /// run's.
    std::vector<std::uint64_t> settled_by = {};

    /// Nobody but members holds the state, so that its digest comes from them: the first state that
    /// one offers is the run's, and later ones are until a round has ended under this host. Where
    /// nobody holds the run's state any longer, any state is, one of an earlier round after
    /// `resume_wait`. With 0 `parameters` the first member's settings are those of the run.
    bool offered = false;
};

/// The changes that a step of the membership caused, in order.
struct member_joined {
    std::uint16_t id = 0;
};
struct member_left {
    std::uint16_t id = 0;
    std::string name;
    std::string reason;
    bool expelled = false;      ///< the rendezvous must tell the member and close its channel
    wire::refusal_kind kind{};  ///< if expelled: what it may do
};

/// The member wants to leave, and is the last that can give the state to those that are behind: it
/// is told so, and stays until they have it.
struct member_kept {
    std::uint16_t id = 0;
};

/// A later state than that with which the run began is the run's: most of its last group hold it.
struct state_adopted {
    std::uint32_t round = 0;
    std::string digest;
};

/// The group that is due waits for members that fetch the state.
struct group_held {
    std::vector<std::uint16_t> members;
    duration limit{};
};
struct group_hold_ended {
    duration lost{};       ///< how long the others have waited
    bool in_vain = false;  ///< none of those that were waited for is ready
};

/// Members on other hosts cannot dial this one, which listens at a loopback address: it is a
/// client in groups with them. Told once.
struct member_unreachable {
    std::uint16_t id = 0;
    wire::endpoint at;
};
struct member_state_outdated {
    std::uint16_t id = 0;
    wire::run_status now;
};
struct member_warned {
    std::uint16_t id = 0;
    wire::round_closing warning;
};
struct group_called {
    wire::group group;
};
struct group_round_outcome {
    wire::group group;
    bool ok = false;
    std::string digest;  ///< if ok: the digest that more than half of the voters reported
    std::map<std::uint16_t, wire::round_report> reports;  ///< those that arrived in time

    /// Members without which the round ended, as those say who have settled it.
    std::set<std::uint16_t> left() const
    {
        std::set<std::uint16_t> ids;
        for (const auto& [id, report] : reports)
            if (ok && report.ok && report.digest == digest)
                ids.insert(report.left.begin(), report.left.end());
        return ids;
    }
};

/// The outcome for one member of an attempt that has ended, once that member has reported.
struct member_round_outcome {
    std::uint16_t id = 0;
    wire::round_outcome outcome;
};
using membership_event =
    std::variant<member_joined, member_left, member_state_outdated, member_warned, group_called,
                 group_round_outcome, member_round_outcome, state_adopted, group_held,
                 group_hold_ended, member_unreachable, member_kept>;

}  // namespace papilio
