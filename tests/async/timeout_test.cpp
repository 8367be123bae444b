#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/sim/world.hpp>

#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <stdexcept>

namespace pa = papilio;
using pa::test::witness;
using namespace std::chrono_literals;

namespace {

pa::task<int> after(pa::duration span, int& living)
{
    const witness w(living);
    co_await pa::sleep_for(span);
    co_return 7;
}

pa::task<int> failing(pa::duration span)
{
    co_await pa::sleep_for(span);
    throw std::runtime_error("as planned");
}

pa::task<int> within(pa::task<int> work, pa::duration limit)
{
    pa::loop& on = co_await pa::this_loop{};
    const auto deadline = on.now() + limit;
    co_return co_await pa::timeout(std::move(work), deadline);
}

}  // namespace

TEST_CASE("work that ends in time gives its result, and its timer is cancelled")
{
    pa::sim::world world;
    int living = 0;
    CHECK(pa::sync_wait(world, within(after(1s, living), 2s)) == 7);
    CHECK(!world.run_one());
    CHECK(world.now() == pa::time_point(1s));
    CHECK_THROWS_WITH(pa::sync_wait(world, within(failing(1s), 2s)), "as planned");
}

TEST_CASE("work that is late is dropped, and the wait throws timed_out")
{
    pa::sim::world world;
    int living = 0;
    int living_when_handled = -1;
    std::error_code heard;
    const auto work = [&]() -> pa::task<> {
        auto slow = after(3s, living);
        try {
            co_await pa::timeout(std::move(slow), pa::time_point(2s));
        } catch (const std::system_error& e) {
            heard = e.code();
            living_when_handled = living;
        }
    };
    pa::sync_wait(world, work());
    CHECK(heard == pa::errc::timed_out);
    CHECK(living_when_handled == 0);
    CHECK(world.now() == pa::time_point(2s));
    CHECK(!world.run_one());
}

TEST_CASE("work that ends exactly at its deadline has one outcome")
{
    pa::sim::world world;
    int living = 0;
    int outcomes = 0;
    const auto work = [&]() -> pa::task<> {
        auto exact = after(2s, living);
        try {
            co_await pa::timeout(std::move(exact), pa::time_point(2s));
        } catch (const std::system_error&) {
        }
        ++outcomes;
        co_await pa::yield{};
        ++outcomes;
    };
    pa::sync_wait(world, work());
    CHECK(outcomes == 2);
    CHECK(living == 0);
}

TEST_CASE("work that needs no waiting succeeds even after its deadline")
{
    pa::sim::world world;
    const auto ready = []() -> pa::task<int> { co_return 8; };
    CHECK(pa::sync_wait(world, within(ready(), -1s)) == 8);
}

TEST_CASE("a timeout that is dropped drops its work, at whatever moment")
{
    bool done = false;
    for (int steps = 0; !done; ++steps) {
        pa::sim::world world;
        int living = 0;
        {
            auto t = within(after(1s, living), 2s);
            t.start(world);
            for (int i = 0; i < steps; ++i) world.run_one();
            done = t.finished();
        }
        CHECK(living == 0);
        CHECK(!world.run_one());
    }
}
