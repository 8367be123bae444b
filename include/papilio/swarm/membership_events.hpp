#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <variant>

namespace papilio {

/// When groups are called.
struct membership_options {
    int min_group = 1;                                  ///< members that contribute, at least
    int max_group = wire::max_members;                  ///< at most; they take turns
    int max_members = 256;                              ///< present at once
    duration patience = std::chrono::seconds(30);       ///< with the slow, once the first is ready
    duration round_timeout = std::chrono::seconds(60);  ///< what a round may take
    duration report_grace = std::chrono::seconds(15);   ///< beyond it, to say how it went
    int donors = 16;                                    ///< how many a newcomer is told of
};
static_assert(std::is_trivially_destructible_v<membership_options>);

/// What all members of a run agree on.
struct run_description {
    std::string name;
    std::uint64_t parameters = 0;     ///< of the model
    std::uint64_t configuration = 0;  ///< a digest of everything else
    std::uint32_t round = 0;          ///< rounds done before this run of the program
    std::string digest;               ///< of the state after them; empty: not known
};

/// A member as the rendezvous sees it.
struct member {
    std::uint16_t id = 0;
    std::string name;
    wire::endpoint at;
    wire::member_role does = wire::member_role::full;
    bool holds = false;     ///< the state after all rounds that are done
    bool ready = false;     ///< and waits for a group
    bool in_group = false;  ///< of the attempt that is under way
    bool reports = false;   ///< yet to come, of the last attempt it was in
    bool hurried = false;
    std::uint64_t passed_over = 0;  ///< so often it was ready, and the group was full
    time_point ready_since{};
    wire::round_ready progress;  ///< what it said last
};

/// What a step of the membership led to, in order.
struct member_joined {
    std::uint16_t id = 0;
};
struct member_left {
    std::uint16_t id = 0;
    std::string name;
    std::string reason;
    bool expelled = false;  ///< against its will: its channel is to be closed
};
struct member_outdated {
    std::uint16_t id = 0;
    wire::run_status now;
};
struct member_hurried {
    std::uint16_t id = 0;
    wire::round_closing what;
};
struct group_called {
    wire::group group;
};
struct group_settled {
    wire::group group;
    bool ok = false;
    std::string digest;                                   ///< if ok: what more than half told
    std::map<std::uint16_t, wire::round_report> reports;  ///< those that came in time
};

/// For one member of a group that has been settled, once that member has reported.
struct member_settled {
    std::uint16_t id = 0;
    wire::round_outcome outcome;
};
using membership_event = std::variant<member_joined, member_left, member_outdated, member_hurried,
                                      group_called, group_settled, member_settled>;

}  // namespace papilio
