// Calls that lose a peer while the links are full: what the others tell each other waits behind the
// data that is under way.

#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/sim/world.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using papilio::duration;
using papilio::task;

namespace {

/// When the last of `peers` has ended a call of 16 MiB at 200 Mbit/s each. One dies at `death`;
/// the others must end well.
duration end_of_call(int peers, std::optional<duration> death)
{
    constexpr int victim = 1;
    papilio::sim::world world{{.peers = peers, .latency = 1ms, .all = {25e6, 25e6}}};
    duration last{};
    const auto life = [&](papilio::sim::transport& net) -> task<> {
        std::vector<float> data(std::size_t{4} << 20, 1.f);
        bool good = false;
        try {
            co_await papilio::all_reduce_in_place(net, data, papilio::sum{}, papilio::identity{},
                                                  {.timeout = 60s, .salvage = true});
            good = true;
        } catch (const papilio::call_error&) {
            // Expected of the victim.
        }
        if (death && net.rank() == victim) co_return;
        CHECK(good);
        last = std::max<duration>(last, world.now().time_since_epoch());
    };
    const auto die = [&]() -> task<> {
        co_await papilio::sleep_for(*death);
        world.kill(victim);
    };
    const auto all = [](std::vector<task<>> work) -> task<> {
        co_await papilio::when_all(std::move(work));
    };
    std::vector<task<>> work;
    for (int rank = 0; rank < peers; ++rank) work.push_back(life(world.peer(rank)));
    if (death) work.push_back(die());
    papilio::sync_wait(world, all(std::move(work)));
    return last;
}

}  // namespace

TEST_CASE("over full links those who are left agree, and do not do everything anew")
{
    const duration all = end_of_call(4, std::nullopt);
    const duration left = end_of_call(3, std::nullopt);
    for (const int percent : {10, 50, 90}) {
        CAPTURE(percent);
        const auto took = end_of_call(4, all * percent / 100);
        CHECK(took < 2 * left);
    }
}
