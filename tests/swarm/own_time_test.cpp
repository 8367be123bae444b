#include <papilio/swarm/own_time.hpp>

#include <papilio/async/gate.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/sim/world.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

/// Asks the clock at its pace, as a program's heartbeats do.
pa::task<> keep_asking(pa::detail::own_time& clock)
{
    for (;;) {
        co_await pa::sleep_for(5s);
        clock.now();
    }
}

}  // namespace

TEST_CASE("time in which the program stood still counts for no deadline", "[swarm]")
{
    pa::sim::world world;
    pa::detail::own_time clock(world, 5s);
    auto asking = keep_asking(clock);
    asking.start(world);
    const auto wait = [&](pa::duration d) { pa::sync_wait(world, pa::sleep_for(d)); };
    wait(20s);
    CHECK(clock.now() == pa::time_point(20s));
    world.stand_still(1h);
    CHECK(clock.now() == pa::time_point(20s));
    wait(20s);
    CHECK(clock.now() == pa::time_point(40s));
    CHECK(clock.on_loop(pa::time_point(45s)) == world.now() + 5s);
    CHECK(clock.on_loop(pa::time_point(10s)) == world.now());
    CHECK(clock.on_loop(pa::time_point::min()) == world.now());
    CHECK(clock.on_loop(pa::time_point::max()) > world.now() + 24h * 365);
}

TEST_CASE("what takes too long is dropped, but not for a time in which nobody could wait",
          "[swarm]")
{
    pa::sim::world world;
    pa::detail::own_time clock(world, 5s);
    auto asking = keep_asking(clock);
    asking.start(world);
    pa::gate opened;
    const auto wait = [&]() -> pa::task<> {
        auto opening = [](pa::gate& g) -> pa::task<> { co_await g.opened(); }(opened);
        co_await pa::detail::within(clock, 30s, std::move(opening));
    };
    auto waiting = wait();
    waiting.start(world);
    pa::sync_wait(world, pa::sleep_for(10s));
    world.stand_still(1h);
    pa::sync_wait(world, pa::sleep_for(19s));
    CHECK_FALSE(waiting.finished());
    SECTION("it comes in time")
    {
        opened.open();
    }
    pa::sync_wait(world, pa::sleep_for(2s));
    REQUIRE(waiting.finished());
    if (opened.is_open())
        waiting.result();
    else
        CHECK_THROWS_AS(waiting.result(), std::system_error);
}
