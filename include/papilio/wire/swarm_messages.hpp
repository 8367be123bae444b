#pragma once

#include <papilio/base/config.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// What members of a run and its rendezvous tell each other, over channels. Each message begins
// with u16 magic, u8 version and u8 kind; texts have at most 255 bytes, lists at most 4,096
// entries.
namespace papilio::inline PAPILIO_MODE::wire {

inline constexpr std::uint8_t swarm_version = 1;
inline constexpr int max_members = 4095;  ///< also the highest id

/// No whole message is longer; what members send to the rendezvous is much shorter.
inline constexpr std::size_t max_swarm_message = std::size_t{2} << 20;
inline constexpr std::size_t max_member_message = 2048;

/// Where a member's mesh listens. Port 0: nowhere, it cannot be dialled. An empty host beside a
/// port: at the address from which its channel comes.
struct endpoint {
    std::string host;
    std::uint16_t port = 0;
    friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// A member, and where it is.
struct member_endpoint {
    std::uint16_t id = 0;
    endpoint at;
    friend bool operator==(const member_endpoint&, const member_endpoint&) = default;
};

/// How far the run has come: how many rounds are done, the digest of the state after them as the
/// members told it (empty: none has), and who can give that state.
struct run_status {
    std::uint32_t round = 0;
    std::string digest;
    std::vector<member_endpoint> donors;
    friend bool operator==(const run_status&, const run_status&) = default;
};

/// A member's first message.
struct join {
    std::string run;
    std::string name;  ///< for people; empty: none
    endpoint at;
    std::uint64_t parameters = 0;     ///< of the model
    std::uint64_t configuration = 0;  ///< a digest of all that members must agree on
    friend bool operator==(const join&, const join&) = default;
};

struct joined {
    std::uint16_t id = 0;
    endpoint host;  ///< where member 0 is: the one that runs the rendezvous
    run_status now;
    friend bool operator==(const joined&, const joined&) = default;
};

/// The last message of the rendezvous to somebody it does not want, or no longer wants.
struct refused {
    std::string reason;
    bool temporary = false;  ///< what stands in the way may pass: it is worth another try
    friend bool operator==(const refused&, const refused&) = default;
};

/// The place of a member that did not know it when it joined.
struct announce {
    endpoint at;
    friend bool operator==(const announce&, const announce&) = default;
};

/// A member holds the state after `round` rounds, and trains on it: the others wait for it a while.
struct state_held {
    std::uint32_t round = 0;
    std::string digest;  ///< of that state; empty: not told
    friend bool operator==(const state_held&, const state_held&) = default;
};

/// Others are ready and will wait no longer than this for a member that trains.
struct round_closing {
    std::uint32_t round = 0;
    std::uint32_t within_ms = 0;
    friend bool operator==(const round_closing&, const round_closing&) = default;
};

/// A member holds the state after `round` rounds, has trained on it and waits for a group.
struct round_ready {
    std::uint32_t round = 0;
    std::string digest;  ///< of that state; empty: not told
    std::uint32_t inner_steps = 0;
    std::uint64_t tokens = 0;
    double loss = 0;
    friend bool operator==(const round_ready&, const round_ready&) = default;
};

/// What a member does in a group, by the numbers of `papilio::role`.
enum class member_role : std::uint8_t { full, client, auxiliary, observer };

struct group_member {
    std::uint16_t id = 0;
    endpoint at;
    member_role role = member_role::full;
    friend bool operator==(const group_member&, const group_member&) = default;
};

/// Who averages next, in rank order. `attempt` counts from 0 the groups called for the same round;
/// `epoch` is the subset's.
struct group {
    std::uint32_t round = 0;
    std::uint32_t attempt = 0;
    std::uint32_t epoch = 1;
    std::uint32_t timeout_ms = 0;
    std::vector<group_member> members;
    friend bool operator==(const group&, const group&) = default;
};

/// How the group's round went for a member. It does not take the new state into use before the
/// rendezvous says `round_outcome`.
struct round_report {
    std::uint32_t round = 0;
    std::uint32_t attempt = 0;
    bool ok = false;
    std::string digest;  ///< if ok: of the state that the round leads to
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    double seconds = 0;
    std::int32_t culprit = -1;  ///< if not ok: the id whose failure this member saw itself, or -1
    friend bool operator==(const round_report&, const round_report&) = default;
};

/// The end of an attempt. If it is `ok` and `yours`, the member takes its result into use; if it
/// is ok and not the member's, it fetches the state from a donor; if it is not ok, it stays where
/// it was and says `round_ready` again.
struct round_outcome {
    std::uint32_t round = 0;
    std::uint32_t attempt = 0;
    bool ok = false;
    bool yours = false;
    run_status now;
    friend bool operator==(const round_outcome&, const round_outcome&) = default;
};

/// The answer to a member that holds, or is ready with, another state than the run's; also told to
/// a member that waits for a group while others finish the round without it.
struct state_outdated {
    run_status now;
    friend bool operator==(const state_outdated&, const state_outdated&) = default;
};

/// A sign of life, either way.
struct alive {
    friend bool operator==(const alive&, const alive&) = default;
};

/// A member goes.
struct leave {
    friend bool operator==(const leave&, const leave&) = default;
};

using swarm_message =
    std::variant<join, joined, refused, announce, state_held, round_closing, round_ready, group,
                 round_report, round_outcome, state_outdated, alive, leave>;

}  // namespace papilio::inline PAPILIO_MODE::wire
