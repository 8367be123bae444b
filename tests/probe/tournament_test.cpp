#include <papilio/probe/tournament.hpp>

#include <catch2/catch.hpp>

#include <set>
#include <utility>

namespace pa = papilio;

TEST_CASE("in a tournament all meet all once, and nobody two at a time")
{
    for (int peers = 1; peers <= 17; ++peers) {
        std::set<std::pair<int, int>> met;
        for (int round = 0; round < pa::tournament_rounds(peers); ++round)
            for (int peer = 0; peer < peers; ++peer) {
                const int other = pa::opponent(peer, round, peers);
                CHECK((other >= 0 && other < peers));
                CHECK(pa::opponent(other, round, peers) == peer);
                if (peer < other) CHECK(met.emplace(peer, other).second);
            }
        CHECK(std::cmp_equal(met.size(), peers * (peers - 1) / 2));
    }
}
