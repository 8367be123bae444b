#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/sim/world.hpp>

#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace pa = papilio;
using pa::test::all_of;
using pa::test::witness;
using namespace std::chrono_literals;

namespace {

pa::task<> sleeper(pa::duration span, int& living)
{
    const witness w(living);
    co_await pa::sleep_for(span);
}

pa::task<> failing(pa::duration after, const char* why)
{
    co_await pa::sleep_for(after);
    throw std::runtime_error(why);
}

pa::task<> immediately_failing(const char* why)
{
    throw std::runtime_error(why);
    co_return;
}

}  // namespace

TEST_CASE("tasks run concurrently, and the last one ends the wait")
{
    pa::sim::world world;
    int living = 0;
    std::vector<pa::task<>> children;
    for (int i = 1; i <= 5; ++i) children.push_back(sleeper(i * 1s, living));
    pa::sync_wait(world, all_of(std::move(children)));
    CHECK(world.now() == pa::time_point(5s));
    CHECK(living == 0);
}

TEST_CASE("tasks may be listed where they are awaited")
{
    pa::sim::world world;
    int living = 0;
    const auto work = [&]() -> pa::task<> {
        co_await pa::when_all(sleeper(1s, living), sleeper(3s, living), sleeper(2s, living));
        const auto all_done = co_await pa::now();
        CHECK(all_done == pa::time_point(3s));
        CHECK(living == 0);
        co_await pa::when_any(sleeper(1h, living), sleeper(1s, living));
        const auto one_done = co_await pa::now();
        CHECK(one_done == pa::time_point(4s));
        CHECK(living == 0);
        co_await pa::when_all(sleeper(1s, living));
    };
    pa::sync_wait(world, work());
    CHECK(world.now() == pa::time_point(5s));
    CHECK(living == 0);
}

TEST_CASE("waiting for no task at all is over at once")
{
    pa::sim::world world;
    pa::sync_wait(world, all_of({}));
    CHECK(world.now() == pa::time_point{});
}

TEST_CASE("the first failure in time is thrown, and drops the rest before it is handled")
{
    pa::sim::world world;
    int living = 0;
    int living_when_handled = -1;
    std::string why;
    const auto work = [&]() -> pa::task<> {
        std::vector<pa::task<>> children;
        children.push_back(sleeper(1h, living));
        children.push_back(failing(2s, "second"));
        children.push_back(failing(1s, "first"));
        children.push_back(sleeper(1h, living));
        try {
            co_await pa::when_all(std::move(children));
        } catch (const std::runtime_error& e) {
            why = e.what();
            living_when_handled = living;
        }
    };
    pa::sync_wait(world, work());
    CHECK(why == "first");
    CHECK(living_when_handled == 0);
    CHECK(world.now() == pa::time_point(1s));
}

TEST_CASE("to wait for all or any of no tasks takes no time")
{
    pa::sim::world world;
    const auto wait = [](bool for_all) -> pa::task<> {
        std::vector<pa::task<>> none;
        if (for_all)
            co_await pa::when_all(std::move(none));
        else
            co_await pa::when_any(std::move(none));
    };
    for (const bool for_all : {true, false}) CHECK_NOTHROW(pa::sync_wait(world, wait(for_all)));
    CHECK(world.now() == pa::time_point{});
}

TEST_CASE("a failure before the others have started, and two at once, are one failure")
{
    pa::sim::world world;
    int living = 0;
    std::vector<pa::task<>> children;
    children.push_back(immediately_failing("first"));
    children.push_back(immediately_failing("second"));
    children.push_back(sleeper(1h, living));
    CHECK_THROWS_WITH(pa::sync_wait(world, all_of(std::move(children))), "first");
    CHECK(living == 0);
    CHECK(!world.run_one());
}

TEST_CASE("a wait for all that is dropped drops all, at whatever moment")
{
    const auto work = [](int& living) -> pa::task<> {
        const auto child = [](int n, int& alive) -> pa::task<> {
            const witness w(alive);
            for (int i = 0; i < n; ++i) {
                co_await pa::yield{};
            }
        };
        std::vector<pa::task<>> children;
        for (int n = 0; n < 4; ++n) children.push_back(child(n, living));
        co_await pa::when_all(std::move(children));
    };
    bool done = false;
    for (int steps = 0; !done; ++steps) {
        pa::sim::world world;
        int living = 0;
        {
            auto t = work(living);
            t.start(world);
            for (int i = 0; i < steps; ++i) world.run_one();
            done = t.finished();
        }
        CHECK(living == 0);
        CHECK(!world.run_one());
    }
}
