#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/sim/world.hpp>

#include <catch2/catch.hpp>

#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

struct wake_up {
    int who;
    pa::duration when;
    friend bool operator==(const wake_up&, const wake_up&) = default;
};

}  // namespace

TEST_CASE("sleeps end in the order of virtual time, then in the order in which they began")
{
    pa::sim::world world;
    std::vector<wake_up> log;
    const auto sleeper = [&](int who, pa::duration first, pa::duration second) -> pa::task<> {
        co_await pa::sleep_for(first);
        log.push_back({who, world.now().time_since_epoch()});
        co_await pa::sleep_for(second);
        log.push_back({who, world.now().time_since_epoch()});
    };
    const auto both = [&]() -> pa::task<> {
        std::vector<pa::task<>> all;
        all.push_back(sleeper(1, 3s, 2s));
        all.push_back(sleeper(2, 1s, 4s));
        all.push_back(sleeper(3, 24h, 0s));
        co_await pa::when_all(std::move(all));
    };
    pa::sync_wait(world, both());
    CHECK(log == std::vector<wake_up>{{2, 1s}, {1, 3s}, {2, 5s}, {1, 5s}, {3, 24h}, {3, 24h}});
}

TEST_CASE("a time that has passed already needs no waiting")
{
    pa::sim::world world;
    const auto work = [&]() -> pa::task<> {
        co_await pa::sleep_for(1s);
        co_await pa::sleep_until(pa::time_point(10ms));
        co_await pa::sleep_for(-5s);
    };
    pa::sync_wait(world, work());
    CHECK(world.now() == pa::time_point(1s));
}

TEST_CASE("what is later than the end of the clock is its end")
{
    constexpr auto end = pa::time_point::max();
    CHECK(pa::later(pa::time_point(3s), 2s) == pa::time_point(5s));
    CHECK(pa::later(pa::time_point(3s), -5s) == pa::time_point(-2s));
    CHECK(pa::later(pa::time_point(3s), pa::duration::max()) == end);
    CHECK(pa::later(end - 2s, 2s) == end);
    CHECK(pa::later(end - 2s, 3s) == end);
}

TEST_CASE("a sleep of the longest duration lasts longer than any work")
{
    pa::sim::world world;
    const auto work = [&]() -> pa::task<> {
        co_await pa::sleep_for(1s);
        co_await pa::when_any(pa::sleep_for(pa::duration::max()), pa::sleep_for(24h));
    };
    pa::sync_wait(world, work());
    CHECK(world.now() == pa::time_point(24h + 1s));
}

TEST_CASE("a sleep that is dropped leaves the clock alone")
{
    pa::sim::world world;
    {
        auto long_sleep = pa::sleep_for(24h);
        long_sleep.start(world);
    }
    CHECK(!world.run_one());
    CHECK(world.now() == pa::time_point{});
}
