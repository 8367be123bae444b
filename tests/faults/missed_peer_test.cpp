// What the log says of peers that a call with `salvage` misses.

#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/sim/world.hpp>

#include "support/collected_log.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using papilio::task;

namespace {

/// Simulated peers make a call, during which something happens to the world. The last peer begins
/// it so much later.
void call_of(int peers, papilio::duration late,
             const std::function<void(papilio::sim::world&)>& what)
{
    papilio::sim::world world{{.peers = peers}};
    const auto life = [&](papilio::sim::transport& net) -> task<> {
        if (net.rank() == peers - 1) {
            co_await papilio::sleep_for(late);
        }
        std::vector<float> data(50'000, 1.f);
        try {
            co_await papilio::all_reduce_in_place(net, data, papilio::sum{}, papilio::identity{},
                                                  {.timeout = 60s, .salvage = true});
        } catch (const papilio::call_error&) {
            // That of the peer to which it happens.
        }
    };
    const auto happen = [&]() -> task<> {
        co_await papilio::sleep_for(20ms);
        what(world);
    };
    const auto all = [](std::vector<task<>> work) -> task<> {
        co_await papilio::when_all(std::move(work));
    };
    std::vector<task<>> work;
    for (int rank = 0; rank < world.size(); ++rank) work.push_back(life(world.peer(rank)));
    work.push_back(happen());
    papilio::sync_wait(world, all(std::move(work)));
}

std::string missed_by(int rank, int peer, const std::string& why)
{
    return "info: peer missed in call call=1 rank=" + std::to_string(rank) +
           " peer=" + std::to_string(peer) + " why=" + why;
}

}  // namespace

TEST_CASE("each of those who are left says once that it misses a peer that has died, and why")
{
    const papilio::test::collected_log log(papilio::log_level::info);
    call_of(4, 0s, [](papilio::sim::world& world) { world.kill(2); });
    for (const int rank : {0, 1, 3}) {
        CHECK(log.count(missed_by(rank, 2, "")) == 1);
        for (const int other : {0, 1, 3}) CHECK_FALSE(log.has(missed_by(rank, other, "")));
    }
    CHECK(log.has(missed_by(0, 2, "\"peer disconnected")));
}

TEST_CASE("who is late when another peer dies is missed before long, and the log says so")
{
    const papilio::test::collected_log log(papilio::log_level::info);
    call_of(5, 20s, [](papilio::sim::world& world) { world.kill(2); });
    int missing = 0;
    for (const int rank : {0, 1, 3}) missing += log.count(missed_by(rank, 4, "\"timed out"));
    CHECK(missing >= 2);
}
