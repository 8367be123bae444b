#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/voters.hpp>

#include <span>

namespace papilio::inline PAPILIO_MODE::detail {

/// Whom the others need not wait for: those about whom more than half of the voters that meet them
/// complain. `complaints` has them by rank, `withdrawn` are those that have said themselves that
/// they are gone: they are not asked. Reducers meet everybody; clients meet reducers alone, of whom
/// those that are given up are not asked either.
inline rank_set given_up(const voters& who, std::span<const rank_set> complaints,
                         const rank_set& withdrawn)
{
    const auto more_than_half = [&](int peer, const rank_set& asked) {
        int met = 0, against = 0;
        for (const int other : asked) {
            if (!who.meet(peer, other)) continue;
            ++met;
            against += complaints[index(other)].contains(peer);
        }
        return 2 * against > met;
    };
    const auto left = who.all() - withdrawn;
    const auto reducers = left & who.reducers();
    rank_set lost;
    for (const int peer : reducers)
        if (more_than_half(peer, left)) lost.insert(peer);
    const auto asked = left - lost;
    for (const int peer : left - reducers)
        if (more_than_half(peer, asked)) lost.insert(peer);
    return lost;
}

}  // namespace papilio::detail
