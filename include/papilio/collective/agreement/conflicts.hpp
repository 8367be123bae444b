#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>

#include <span>
#include <tuple>

namespace papilio::inline PAPILIO_MODE::detail {

/// The peer to strike from `members` next, or -1 if no two of them are in conflict. Two peers are
/// in conflict if one complains about the other: `complaints` has by rank about whom.
inline int most_in_conflict(const rank_set& members, std::span<const rank_set> complaints)
{
    int worst = -1;
    std::tuple<int, int> most{0, 0};  // conflicts, and complaints of its own
    for (const int peer : members) {
        const auto& own = complaints[index(peer)];
        int conflicts = 0, made = 0;
        for (const int other : members) {
            if (other == peer) continue;
            const bool complains = own.contains(other);
            made += complains;
            conflicts += complains || complaints[index(other)].contains(peer);
        }
        const std::tuple found{conflicts, made};
        if (conflicts == 0 || found < most) continue;
        most = found;
        worst = peer;
    }
    return worst;
}

/// Those of `candidates` who can be members of one view: no two of them complain about each other.
/// While there is a conflict, the peer in most conflicts is struck; among these the one that
/// complains most, and among these the one with the highest rank. So a single complaint strikes
/// its author and not its target, and a peer that complains about nobody stays in unless two others
/// complain about it. Every peer that knows the complaints finds the same set.
inline rank_set without_conflicts(rank_set candidates, std::span<const rank_set> complaints)
{
    for (;;) {
        const int worst = most_in_conflict(candidates, complaints);
        if (worst < 0) return candidates;
        candidates.erase(worst);
    }
}

}  // namespace papilio::detail
