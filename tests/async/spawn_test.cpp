#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/spawn.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/sim/world.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

pa::task<int> twice(int n)
{
    co_await pa::yield{};
    co_return 2 * n;
}

pa::task<> failure()
{
    co_await pa::yield{};
    throw std::runtime_error("as planned");
}

bool broken(std::future<void>& f)
{
    try {
        f.get();
    } catch (const std::future_error& e) {
        return e.code() == std::future_errc::broken_promise;
    }
    return false;
}

/// A thread that runs a loop until it dies.
class runner {
public:
    explicit runner(pa::loop& l) : loop_(l)
    {
        loop_.work_started();
        thread_ = std::thread([this] {
            while (!done_) loop_.run_one();
        });
    }
    ~runner()
    {
        const auto stop = [this]() -> pa::task<> {
            done_ = true;
            co_return;
        };
        auto last = pa::spawn(loop_, stop());
        thread_.join();
        loop_.work_finished();
    }

private:
    pa::loop& loop_;
    bool done_ = false;  // the loop's thread sets and reads it
    std::thread thread_;
};

}  // namespace

TEST_CASE("spawned work runs on its loop and gives a future of its result")
{
    pa::sim::world world;
    auto value = pa::spawn(world, twice(4));
    auto nothing = pa::spawn(world, pa::sleep_for(1s));
    auto fails = pa::spawn(world, failure());
    while (world.run_one()) {
    }
    CHECK(value.get() == 8);
    CHECK_NOTHROW(nothing.get());
    CHECK_THROWS_WITH(fails.get(), "as planned");
    CHECK(world.now() == pa::time_point(1s));
}

TEST_CASE("work may be spawned from many threads")
{
    constexpr int threads = 4;
    constexpr int each = 200;
    pa::thread_loop loop;
    const runner thread(loop);
    std::atomic<int> wrong{0};
    {
        std::vector<std::jthread> spawners;
        for (int t = 0; t < threads; ++t)
            spawners.emplace_back([&] {
                for (int i = 0; i < each; ++i) {
                    auto result = pa::spawn(loop, twice(i));
                    if (result.get() != 2 * i) ++wrong;
                }
            });
    }
    CHECK(wrong == 0);
}

TEST_CASE("a future that nobody keeps does not keep its work from ending")
{
    pa::thread_loop loop;
    std::atomic<bool> done{false};
    const auto work = [&]() -> pa::task<> {
        co_await pa::yield{};
        done = true;
    };
    {
        const runner thread(loop);
        pa::spawn(loop, work());
        while (!done) std::this_thread::yield();
    }
    CHECK(done);
}

TEST_CASE("work that is unfinished when its loop is destroyed is dropped")
{
    pa::gate closed;
    const auto held = std::make_shared<int>();
    const auto work = [&](std::shared_ptr<int>) -> pa::task<> { co_await closed.opened(); };
    std::future<void> waiting;
    std::future<void> not_begun;
    {
        pa::thread_loop loop;
        waiting = pa::spawn(loop, work(held));
        CHECK(loop.run_one());
        not_begun = pa::spawn(loop, work(held));
        CHECK(held.use_count() == 3);
    }
    CHECK(held.use_count() == 1);
    CHECK(broken(waiting));
    CHECK(broken(not_begun));
}

TEMPLATE_TEST_CASE("when the future is ready, the work and all it held are destroyed", "", int,
                   void)
{
    // Whoever holds the future could free what the work uses from the moment it is ready.
    struct witness {
        explicit witness(std::future<TestType>& f, bool& seen) : result(&f), ready(&seen) {}
        witness(witness&& from) noexcept
            : result(std::exchange(from.result, nullptr)), ready(from.ready)
        {
        }
        ~witness()
        {
            if (result) *ready = result->wait_for(0s) == std::future_status::ready;
        }
        std::future<TestType>* result;
        bool* ready;
    };
    pa::sim::world world;
    std::future<TestType> result;
    bool ready = true;
    const auto work = [](witness) -> pa::task<TestType> {
        co_await pa::yield{};
        if constexpr (!std::is_void_v<TestType>) co_return 5;
    };
    result = pa::spawn(world, work(witness(result, ready)));
    while (world.run_one()) {
    }
    CHECK_FALSE(ready);
    CHECK(result.wait_for(0s) == std::future_status::ready);
}

TEST_CASE("work may spawn more work on its own loop")
{
    pa::sim::world world;
    std::future<int> inner;
    const auto work = [&]() -> pa::task<> {
        inner = pa::spawn(world, twice(21));
        co_return;
    };
    auto outer = pa::spawn(world, work());
    while (world.run_one()) {
    }
    CHECK_NOTHROW(outer.get());
    CHECK(inner.get() == 42);
}
