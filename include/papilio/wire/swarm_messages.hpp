#pragma once

#include <papilio/base/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// The messages between the members of a run and its rendezvous, over channels. Each message begins
// with u16 magic, u8 version and u8 kind; texts have at most 255 bytes, lists 4,096 entries.
//
// Version 2 has what version 1 had, and more: `join` has `identity` and `settings`, `refused` a
// kind instead of a truth value, `round_ready` two digests, `round_report` and `run_status` a root,
// `round_report` those who have left, the members of a `group` a process; `state_fetching` and
// `gone` are new.
//
// Awaited calls take what has constructors: g++ 12.2 destroys a temporary aggregate twice there.
namespace papilio::inline PAPILIO_MODE::wire {

inline constexpr std::uint8_t swarm_version = 2;
inline constexpr int max_members = 4095;  ///< also the highest id
inline constexpr std::uint32_t max_rounds = 1'000'000'000;
inline constexpr std::uint64_t max_count = std::uint64_t{1} << 53;  ///< of bytes or tokens

/// The longest message, and the longest one that a member sends.
inline constexpr std::size_t max_swarm_message = std::size_t{2} << 20;
inline constexpr std::size_t max_member_message = 4096;

/// So many members a report names that have left; others are left out of it.
inline constexpr std::size_t max_left = 1024;

/// 32 bytes of SHA-256. Zeros: none is told.
using digest_bytes = std::array<std::byte, 32>;

/// The address at which a member accepts connections. Port 0: it accepts none. An empty host with a
/// port: from a member, the host from which its channel comes; from the rendezvous, the host at
/// which the reader's channel reached it.
struct endpoint {
    endpoint() = default;
    endpoint(std::string host_name, std::uint16_t port_number)
        : host(std::move(host_name)), port(port_number)
    {
    }

    std::string host;
    std::uint16_t port = 0;
    friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// A member and its address.
struct member_endpoint {
    std::uint16_t id = 0;
    endpoint at;
    friend bool operator==(const member_endpoint&, const member_endpoint&) = default;
};

/// The state of the run: the number of rounds done, the digest of the state after them as members
/// reported it (empty: unknown), and the members that can give that state.
struct run_status {
    std::uint32_t round = 0;
    std::string digest;
    std::vector<member_endpoint> donors;
    digest_bytes state_root{};  ///< reserved for a hash tree over the state: zeros
    friend bool operator==(const run_status&, const run_status&) = default;
};

/// An option that must be equal on all members, with its value, for the sentence that refuses
/// another value.
struct setting {
    std::string name;
    std::string value;
    friend bool operator==(const setting&, const setting&) = default;
};

/// A member's first message.
struct join {
    join() = default;
    join(std::string run_name, std::string own_name, endpoint address = {},
         std::uint64_t parameter_count = 0, std::uint64_t settings_digest = 0)
        : run(std::move(run_name)),
          name(std::move(own_name)),
          at(std::move(address)),
          parameters(parameter_count),
          configuration(settings_digest)
    {
    }

    std::string run;
    std::string name;  ///< shown to people; empty: none
    endpoint at;
    std::uint64_t parameters = 0;     ///< of the model
    std::uint64_t configuration = 0;  ///< a digest of all settings that must be equal
    std::uint64_t identity = 0;       ///< the same whenever this member joins; 0: not told
    std::vector<setting> settings;    ///< those of which `configuration` is a digest, or some
    friend bool operator==(const join&, const join&) = default;
};

struct joined {
    std::uint16_t id = 0;
    endpoint host;  ///< the address of member 0, which runs the rendezvous
    run_status now;
    friend bool operator==(const joined&, const joined&) = default;
};

/// What a refused program may do.
enum class refusal_kind : std::uint8_t {
    permanent,  ///< nothing before it has changed something
    temporary,  ///< try again: the reason may pass
    paused,     ///< try again: the rendezvous goes away, and means to come back
    run_over,   ///< no more: the run has ended
};

/// The last message of the rendezvous to a program that it does not admit, or whose membership it
/// ends.
struct refused {
    std::string reason;
    refusal_kind kind = refusal_kind::permanent;
    friend bool operator==(const refused&, const refused&) = default;
};

/// The address of a member that did not know it when it joined.
struct announce {
    endpoint at;
    friend bool operator==(const announce&, const announce&) = default;
};

/// A member holds the state after `round` rounds and trains: the others wait for it for a time.
struct state_held {
    state_held() = default;
    state_held(std::uint32_t rounds, std::string state_digest)
        : round(rounds), digest(std::move(state_digest))
    {
    }

    std::uint32_t round = 0;
    std::string digest;  ///< of that state; empty: not given
    friend bool operator==(const state_held&, const state_held&) = default;
};

/// A member has begun to fetch the state after `round` rounds: the next group may wait for it.
struct state_fetching {
    std::uint32_t round = 0;
    friend bool operator==(const state_fetching&, const state_fetching&) = default;
};

/// The others are ready and will not wait longer than this for a member that trains.
struct round_closing {
    std::uint32_t round = 0;
    std::uint32_t within_ms = 0;
    friend bool operator==(const round_closing&, const round_closing&) = default;
};

/// A member holds the state after `round` rounds, has trained on it and waits for a group.
struct round_ready {
    round_ready() = default;
    round_ready(std::uint32_t rounds, std::string state_digest, std::uint32_t steps = 0,
                std::uint64_t token_count = 0, double mean_loss = 0)
        : round(rounds),
          digest(std::move(state_digest)),
          inner_steps(steps),
          tokens(token_count),
          loss(mean_loss)
    {
    }

    std::uint32_t round = 0;
    std::string digest;  ///< of that state; empty: not given
    std::uint32_t inner_steps = 0;
    std::uint64_t tokens = 0;
    double loss = 0;               ///< NaN: not known
    digest_bytes work{};           ///< reserved for a digest of the work done: zeros
    digest_bytes contributions{};  ///< reserved for the root of a tree over the update: zeros
    friend bool operator==(const round_ready&, const round_ready&) = default;
};

/// The role of a member in a group, with the values of `papilio::role`.
enum class member_role : std::uint8_t { full, client, auxiliary, observer };

struct group_member {
    std::uint16_t id = 0;
    endpoint at;
    member_role role = member_role::full;
    std::uint32_t process = 0;  ///< another number under an id is another process, let in from here
    friend bool operator==(const group_member&, const group_member&) = default;
};

/// The members that average next, in rank order. `attempt` counts the groups called for the same
/// round from 0; `epoch` is that of the subset.
struct group {
    std::uint32_t round = 0;
    std::uint32_t attempt = 0;
    std::uint32_t epoch = 1;
    std::uint32_t timeout_ms = 0;
    std::vector<group_member> members;
    friend bool operator==(const group&, const group&) = default;
};

/// A member's result of its group's round. The member does not adopt the new state before
/// `round_outcome`.
struct round_report {
    round_report() = default;
    round_report(std::uint32_t of_round, std::uint32_t of_attempt, bool succeeded,
                 std::string state_digest = {}, std::uint64_t sent = 0, std::uint64_t received = 0,
                 double took_seconds = 0, std::int32_t to_blame = -1)
        : round(of_round),
          attempt(of_attempt),
          ok(succeeded),
          digest(std::move(state_digest)),
          bytes_sent(sent),
          bytes_received(received),
          seconds(took_seconds),
          culprit(to_blame)
    {
    }

    std::uint32_t round = 0;
    std::uint32_t attempt = 0;
    bool ok = false;
    std::string digest;  ///< if ok: of the state after the round
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    double seconds = 0;
    std::int32_t culprit = -1;  ///< if not ok: the member whose failure this one saw itself, or -1
    digest_bytes state_root{};  ///< reserved, as that of `run_status`: zeros
    std::vector<std::uint16_t> left;  ///< if ok: members without which the round ended, ascending
    friend bool operator==(const round_report&, const round_report&) = default;
};

/// The outcome of an attempt. `ok` and `yours`: the member adopts its result. `ok` only: it fetches
/// the state from a donor. Not `ok`: it keeps its state and sends `round_ready` again.
struct round_outcome {
    std::uint32_t round = 0;
    std::uint32_t attempt = 0;
    bool ok = false;
    bool yours = false;
    run_status now;
    friend bool operator==(const round_outcome&, const round_outcome&) = default;
};

/// The answer to a member that holds, or is ready with, another state than the run's; also sent to
/// a member that waits for a group while the others finish the round without it.
struct state_outdated {
    run_status now;
    friend bool operator==(const state_outdated&, const state_outdated&) = default;
};

/// A heartbeat, in either direction.
struct alive {
    friend bool operator==(const alive&, const alive&) = default;
};

/// A member leaves. From the rendezvous: it is the last that can give the state to others that are
/// behind, and should stay until its channel is closed.
struct leave {
    friend bool operator==(const leave&, const leave&) = default;
};

/// A member is not there any more, while this one is in a group or behind: who has no link to it
/// need not wait for one.
struct gone {
    std::uint16_t id = 0;
    friend bool operator==(const gone&, const gone&) = default;
};

using swarm_message =
    std::variant<join, joined, refused, announce, state_held, round_closing, round_ready, group,
                 round_report, round_outcome, state_outdated, alive, leave, state_fetching, gone>;

}  // namespace papilio::wire
