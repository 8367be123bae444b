#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/lookout.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/stragglers.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/plan/role.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Is told who is overdue.
class overdue_listener {
public:
    virtual ~overdue_listener() = default;

    /// Peer `peer` has been silent for too long, or owes something beyond its deadline. Once for
    /// each peer and watch, which must not be dropped in it.
    virtual void overdue(int peer) = 0;

    /// What is missing may be one peer's fault, but it is not known whose. The watch ends.
    virtual void nobody_to_blame() {}
};

/// What a lookout of this peer is to know of a view of its call.
inline lookout::facts facts_for_lookout(peer_io& io, bool later)
{
    int clients = 0;
    for (int peer = 0; peer < io.size(); ++peer) clients += io.of(peer) == role::client;
    return {.begin = io.status().begin,
            .limit = io.status().limit,
            .stages = later ? 1 : io.plan().stages(),
            .later = later,
            .hears_votes_last = clients > 1 && io.mine() == role::client,
            .heartbeat = io.heartbeat()};
}

/// Whom a peer looks at in view 0. `contributions` are how many each of them sends, by rank.
inline void watch_partners(lookout& look, peer_io& io,
                           const std::vector<std::uint32_t>& contributions)
{
    for (int peer = 0; peer < io.size(); ++peer)
        if (io.meets(peer) && votes(io.of(peer))) {
            const auto sends = contributions.empty() ? 0 : contributions[index(peer)];
            look.watch(
                {.rank = peer, .stage = io.plan().meeting(io.me(), peer), .contributions = sends});
        }
}

/// Tells `to` who is overdue, from now on until it is dropped: beside one view of a call, by what
/// its `peer_io` knows. In a later view than 0 these are its `members`; in view 0, each sends so
/// many `contributions`, by rank. A call that is over soon pays for a timer. `slow` says who is not
/// worth waiting for; null: the deadline does.
inline task<> watch_progress(peer_io& io, overdue_listener& to, rank_set members = {},
                             stragglers* slow = nullptr,
                             std::vector<std::uint32_t> contributions = {})
{
    const auto begin = co_await now();
    auto facts = facts_for_lookout(io, !members.empty());
    facts.weighs = slow != nullptr;
    lookout look(facts, begin);
    co_await sleep_until(look.next());
    if (members.empty()) watch_partners(look, io, contributions);
    for (const int peer : members)
        if (peer != io.me()) look.watch({.rank = peer, .stage = 0});
    for (;;) {
        const auto time = co_await now();
        const bool voting = io.status().where == phase::vote;
        const auto late = look.look(
            time, io.debts(), io.longest_round_trip().value_or(duration{}), voting,
            [&](int peer) { return io.last_heard(peer); }, slow);
        for (const int peer : late) to.overdue(peer);
        if (look.leaves()) {
            to.nobody_to_blame();
            co_return;
        }
        co_await sleep_until(look.next());
    }
}

}  // namespace papilio::detail
