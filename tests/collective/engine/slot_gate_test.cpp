#include <papilio/collective/engine/slot_gate.hpp>

#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/sim/world.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using namespace std::chrono_literals;
using papilio::detail::slot_gate;

namespace {

struct gated_loop {
    papilio::sim::world loop;
    slot_gate slots;

    bool uses(std::size_t slot) { return papilio::sync_wait(loop, slots.uses(slot)); }
    void wait(papilio::duration span) { papilio::sync_wait(loop, papilio::sleep_for(span)); }
};

}  // namespace

TEST_CASE("the first slots are used at once")
{
    gated_loop s;
    s.slots.open(s.loop, 2);
    CHECK(s.uses(0));
    CHECK(s.uses(1));
    CHECK(s.loop.now() == papilio::time_point{});
}

TEST_CASE("the other slots are used as soon as the first answer is late")
{
    gated_loop s;
    s.slots.open(s.loop, 2);
    CHECK(s.uses(2));
    CHECK(s.loop.now() > papilio::time_point{10ms});
    s.slots.answered();
    CHECK(s.uses(3));
}

TEST_CASE("the other slots are not needed once an answer has come in time")
{
    gated_loop s;
    s.slots.open(s.loop, 2);
    s.wait(1ms);
    s.slots.answered();
    CHECK_FALSE(s.uses(2));
    s.wait(1s);
    CHECK_FALSE(s.uses(3));
    CHECK(s.uses(1));
}

TEST_CASE("where it makes no difference all slots are used")
{
    gated_loop s;
    s.slots.open_wide();
    CHECK(s.uses(7));
    s.slots.answered();
    CHECK(s.uses(8));
}

TEST_CASE("no collective waits for an answer that nobody owes")
{
    const std::size_t count = GENERATE(std::size_t{1} << 16, std::size_t{1} << 18, (1u << 20) + 1);
    const int wanted = GENERATE(range(0, 4));
    CAPTURE(count, wanted);
    constexpr double rate = 1.25e9;
    pa::test::sim_cluster cluster(4, {.latency = 20us, .all = {rate, rate}});
    const std::vector<float> whole(count, 1);
    const auto parts = pa::partition(count, std::size_t{4});
    cluster.run([&](auto& net) -> pa::task<> {
        std::vector<float> mine(parts[static_cast<std::size_t>(net.rank())].size, 1);
        std::vector<float> all(count);
        switch (wanted) {
        case 0: co_await pa::all_reduce(net, whole, all); break;
        case 1: co_await pa::reduce_scatter(net, whole, mine); break;
        case 2: co_await pa::all_gather(net, mine, all); break;
        case 3: co_await pa::broadcast(net, all, 1); break;
        }
    });
    const std::chrono::duration<double> took = cluster.world().now().time_since_epoch();
    CHECK(took.count() < 3 * static_cast<double>(4 * count) / rate + 0.001);
}
