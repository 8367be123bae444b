#include <papilio/async/gate.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/yield.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace pa = papilio;

namespace {

pa::task<int> value(int v)
{
    co_return v;
}

pa::task<int> later(int v)
{
    co_await pa::yield{};
    co_return v;
}

pa::task<int> failing_value()
{
    co_await pa::yield{};
    throw std::runtime_error("as planned");
}

/// Adds one to `*count` when it dies.
struct mourner {
    explicit mourner(int& c) noexcept : count(&c) {}
    mourner(const mourner&) = delete;
    mourner& operator=(const mourner&) = delete;
    ~mourner() { ++*count; }
    int* count;
};

}  // namespace

TEST_CASE("a task gives what it returns")
{
    pa::thread_loop loop;
    CHECK(pa::sync_wait(loop, value(3)) == 3);
    CHECK(pa::sync_wait(loop, later(4)) == 4);
}

TEST_CASE("a task may return what can only be moved")
{
    pa::thread_loop loop;
    const auto work = []() -> pa::task<std::unique_ptr<int>> {
        co_return std::make_unique<int>(5);
    };
    CHECK(*pa::sync_wait(loop, work()) == 5);
}

TEST_CASE("a task throws what it threw where it is awaited")
{
    pa::thread_loop loop;
    const auto work = []() -> pa::task<std::string> {
        std::string heard;
        try {
            co_await failing_value();
        } catch (const std::runtime_error& e) {
            heard = e.what();
        }
        co_return heard;
    };
    CHECK(pa::sync_wait(loop, work()) == "as planned");
    CHECK_THROWS_AS(pa::sync_wait(loop, failing_value()), std::runtime_error);
}

TEST_CASE("a task does nothing until it is awaited")
{
    bool begun = false;
    const auto work = [&]() -> pa::task<> {
        begun = true;
        co_return;
    };
    {
        const auto never = work();
    }
    CHECK(!begun);
}

TEST_CASE("a task runs in the order of its awaits, beside others")
{
    pa::thread_loop loop;
    std::vector<int> order;
    const auto step = [&](int n) -> pa::task<> {
        order.push_back(n);
        co_await pa::yield{};
        order.push_back(n + 10);
    };
    auto first = step(1);
    auto second = step(2);
    first.start(loop);
    second.start(loop);
    CHECK(order == std::vector{1, 2});
    while (loop.run_one()) {
    }
    CHECK(order == std::vector{1, 2, 11, 12});
    CHECK(first.finished());
    CHECK(!first.failed());
}

TEST_CASE("dropping a task drops all that it awaits")
{
    pa::thread_loop loop;
    pa::gate closed;
    int dead = 0;
    const auto inner = [&]() -> pa::task<> {
        const mourner w(dead);
        co_await closed.opened();
    };
    const auto outer = [&]() -> pa::task<> {
        const mourner w(dead);
        co_await inner();
    };
    {
        auto work = outer();
        work.start(loop);
        while (loop.run_one()) {
        }
        CHECK(!work.finished());
        CHECK(dead == 0);
    }
    CHECK(dead == 2);
    closed.open();  // nobody is left to be woken
    CHECK(!loop.run_one());
}

TEST_CASE("a dropped task's wake-up is dropped with it")
{
    pa::thread_loop loop;
    int dead = 0;
    const auto work = [&]() -> pa::task<> {
        const mourner w(dead);
        co_await pa::yield{};
    };
    {
        auto ready = work();
        ready.start(loop);  // its wake-up waits in the loop
    }
    CHECK(dead == 1);
    CHECK(!loop.run_one());
}

TEST_CASE("what was moved into a task is destroyed with it, started or not")
{
    pa::thread_loop loop;
    const auto shared = std::make_shared<int>(1);
    const auto work = [](std::shared_ptr<int> p) -> pa::task<int> { co_return *p; };
    {
        const auto never = work(shared);
        CHECK(shared.use_count() == 2);
    }
    CHECK(shared.use_count() == 1);
    CHECK(pa::sync_wait(loop, work(shared)) == 1);
    CHECK(shared.use_count() == 1);
}

TEST_CASE("a task can be moved while it runs")
{
    pa::thread_loop loop;
    auto work = later(6);
    work.start(loop);
    auto moved = std::move(work);
    while (loop.run_one()) {
    }
    CHECK(moved.finished());
    CHECK(moved.result() == 6);
    moved = value(7);
    CHECK(pa::sync_wait(loop, std::move(moved)) == 7);
    STATIC_REQUIRE(!std::is_copy_constructible_v<pa::task<>>);
}

TEST_CASE("a million awaits that are ready do not exhaust the stack")
{
    pa::thread_loop loop;
    const auto work = []() -> pa::task<long> {
        long sum = 0;
        for (int i = 0; i < 1'000'000; ++i) {
            const int one = co_await value(1);
            sum += one;
        }
        co_return sum;
    };
    CHECK(pa::sync_wait(loop, work()) == 1'000'000);
}

TEST_CASE("a task knows the loop that it runs on, also one that it inherits")
{
    pa::thread_loop loop;
    const auto inner = [&]() -> pa::task<bool> {
        pa::loop& on = co_await pa::this_loop{};
        co_return &on == &loop;
    };
    const auto outer = [&]() -> pa::task<bool> { co_return co_await inner(); };
    CHECK(pa::sync_wait(loop, outer()));
}

TEST_CASE("waiting for what can never happen throws stalled")
{
    pa::thread_loop loop;
    pa::gate closed;
    const auto work = [&]() -> pa::task<> { co_await closed.opened(); };
    try {
        pa::sync_wait(loop, work());
        FAIL("the gate never opens");
    } catch (const std::system_error& e) {
        CHECK(e.code() == pa::errc::stalled);
    }
}

TEST_CASE("a yield lets all ready events run first")
{
    pa::thread_loop loop;
    std::vector<int> order;
    const auto patient = [&]() -> pa::task<> {
        co_await pa::yield{};
        order.push_back(1);
        co_await pa::yield{};
        order.push_back(3);
    };
    const auto other = [&]() -> pa::task<> {
        co_await pa::yield{};
        order.push_back(2);
    };
    auto a = patient();
    auto b = other();
    a.start(loop);
    b.start(loop);
    while (loop.run_one()) {
    }
    CHECK(order == std::vector{1, 2, 3});
}
