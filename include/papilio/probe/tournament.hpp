#pragma once

#include <papilio/base/config.hpp>

namespace papilio::inline PAPILIO_MODE {

/// Rounds of a tournament in which each of `peers` meets each other one once, and nobody two at a
/// time: for measurements of all links, none of which may disturb another.
constexpr int tournament_rounds(int peers)
{
    return peers + peers % 2 - 1;
}

/// Whom `peer` meets in a round; itself where it has to sit out, with an odd number of peers.
///
/// The circle method (T. P. Kirkman, 1847): all but the last one of an even number are on a circle,
/// and are paired across it; the last one gets whoever would meet itself.
constexpr int opponent(int peer, int round, int peers)
{
    const int circle = tournament_rounds(peers), last = circle;
    int other = (2 * round - peer + 2 * circle) % circle;
    if (peer == last)
        other = round;
    else if (other == peer)
        other = last;
    return other < peers ? other : peer;
}

}  // namespace papilio
