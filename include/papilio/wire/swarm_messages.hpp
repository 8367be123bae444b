#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// What members of a run and its rendezvous tell each other, over channels. Each message begins
// with u16 magic, u8 version and u8 kind; texts have at most 255 bytes, lists at most 4,096
// entries.
namespace papilio::wire {

inline constexpr std::uint8_t swarm_version = 1;
inline constexpr int max_members = 4095;  ///< also the highest id

/// No whole message is longer; what members send to the rendezvous is much shorter.
inline constexpr std::size_t max_swarm_message = std::size_t{2} << 20;
inline constexpr std::size_t max_member_message = 2048;

/// Where a member's mesh listens. Port 0: nowhere, it cannot be dialled. An empty host beside a
/// port: at the address from which its channel comes.
struct place {
    std::string host;
    std::uint16_t port = 0;
    friend bool operator==(const place&, const place&) = default;
};

/// A member, and where it is.
struct located {
    std::uint16_t id = 0;
    place at;
    friend bool operator==(const located&, const located&) = default;
};

/// How far the run has come: how many rounds are done, the digest of the state after them as the
/// members told it (empty: none has), and who can give that state.
struct standing {
    std::uint32_t round = 0;
    std::string digest;
    std::vector<located> donors;
    friend bool operator==(const standing&, const standing&) = default;
};

/// A member's first message.
struct join {
    std::string run;
    std::string name;  ///< for people; empty: none
    place at;
    std::uint64_t parameters = 0;     ///< of the model
    std::uint64_t configuration = 0;  ///< a digest of all that members must agree on
    friend bool operator==(const join&, const join&) = default;
};

struct joined {
    std::uint16_t id = 0;
    place host;  ///< where member 0 is: the one that runs the rendezvous
    standing now;
    friend bool operator==(const joined&, const joined&) = default;
};

/// The last message of the rendezvous to somebody it does not want, or no longer wants.
struct refused {
    std::string reason;
    bool for_now = false;  ///< what stands in the way may pass: it is worth another try
    friend bool operator==(const refused&, const refused&) = default;
};

/// The place of a member that did not know it when it joined.
struct announce {
    place at;
    friend bool operator==(const announce&, const announce&) = default;
};

/// A member holds the state after `round` rounds, and trains on it: the others wait for it a while.
struct holding {
    std::uint32_t round = 0;
    std::string digest;  ///< of that state; empty: not told
    friend bool operator==(const holding&, const holding&) = default;
};

/// Others are ready and will wait no longer than this for a member that trains.
struct hurry {
    std::uint32_t round = 0;
    std::uint32_t within_ms = 0;
    friend bool operator==(const hurry&, const hurry&) = default;
};

/// A member holds the state after `round` rounds, has trained on it and waits for a group.
struct ready {
    std::uint32_t round = 0;
    std::string digest;  ///< of that state; empty: not told
    std::uint32_t inner_steps = 0;
    std::uint64_t tokens = 0;
    double loss = 0;
    friend bool operator==(const ready&, const ready&) = default;
};

/// What a member does in a group, by the numbers of `papilio::role`.
enum class member_role : std::uint8_t { full, client, auxiliary, observer };

struct group_member {
    std::uint16_t id = 0;
    place at;
    member_role does = member_role::full;
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
/// rendezvous says `settled`.
struct done {
    std::uint32_t round = 0;
    std::uint32_t attempt = 0;
    bool ok = false;
    std::string digest;  ///< if ok: of the state that the round leads to
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    double seconds = 0;
    std::int32_t culprit = -1;  ///< if not ok: the id whose failure this member saw itself, or -1
    friend bool operator==(const done&, const done&) = default;
};

/// The end of an attempt. If it is `ok` and `yours`, the member takes its result into use; if it
/// is ok and not the member's, it fetches the state from a donor; if it is not ok, it stays where
/// it was and says `ready` again.
struct settled {
    std::uint32_t round = 0;
    std::uint32_t attempt = 0;
    bool ok = false;
    bool yours = false;
    standing now;
    friend bool operator==(const settled&, const settled&) = default;
};

/// The answer to a member that holds, or is ready with, another state than the run's; also told to
/// a member that waits for a group while others finish the round without it.
struct outdated {
    standing now;
    friend bool operator==(const outdated&, const outdated&) = default;
};

/// A sign of life, either way.
struct alive {
    friend bool operator==(const alive&, const alive&) = default;
};

/// A member goes.
struct leave {
    friend bool operator==(const leave&, const leave&) = default;
};

using swarm_message = std::variant<join, joined, refused, announce, holding, hurry, ready, group,
                                   done, settled, outdated, alive, leave>;

}  // namespace papilio::wire
