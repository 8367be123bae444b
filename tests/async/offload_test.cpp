#include <papilio/async/offload.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/sim/world.hpp>

#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

namespace pa = papilio;

namespace {

pa::task<std::thread::id> whereabouts(pa::thread_pool* pool)
{
    std::thread::id id;
    auto work = [&] { id = std::this_thread::get_id(); };
    co_await pa::offload(pool, work);
    co_return id;
}

pa::task<> failing(pa::thread_pool* pool)
{
    auto work = [] { throw std::runtime_error("as planned"); };
    co_await pa::offload(pool, work);
}

template <class F>
pa::task<> on_pool(pa::thread_pool* pool, F& work)
{
    co_await pa::offload(pool, work);
}

}  // namespace

TEST_CASE("without a pool the work is done at once on this thread, as in simulations")
{
    pa::sim::world world;
    CHECK(pa::sync_wait(world, whereabouts(nullptr)) == std::this_thread::get_id());
    CHECK_THROWS_WITH(pa::sync_wait(world, failing(nullptr)), "as planned");
}

TEST_CASE("with a pool another thread does the work, and the loop goes on")
{
    pa::thread_pool pool(2);
    pa::thread_loop loop;
    CHECK(pa::sync_wait(loop, whereabouts(&pool)) != std::this_thread::get_id());

    // Only a loop that runs meanwhile can open the latch that the work waits for.
    std::latch loop_goes_on(1);
    auto work = [&] { loop_goes_on.wait(); };
    const auto opener = [&]() -> pa::task<> {
        loop_goes_on.count_down();
        co_return;
    };
    std::vector<pa::task<>> tasks;
    tasks.push_back(on_pool(&pool, work));
    tasks.push_back(opener());
    pa::sync_wait(loop, pa::test::all_of(std::move(tasks)));
}

TEST_CASE("the work's exception is thrown where it is awaited")
{
    pa::thread_pool pool(1);
    pa::thread_loop loop;
    CHECK_THROWS_WITH(pa::sync_wait(loop, failing(&pool)), "as planned");
}

TEST_CASE("many pieces of work from one loop are all done")
{
    pa::thread_pool pool(3);
    pa::thread_loop loop;
    std::atomic<int> done{0};
    auto work = [&] { ++done; };
    std::vector<pa::task<>> tasks;
    for (int i = 0; i < 1000; ++i) tasks.push_back(on_pool(&pool, work));
    pa::sync_wait(loop, pa::test::all_of(std::move(tasks)));
    CHECK(done == 1000);
}

TEST_CASE("work that no thread has started is withdrawn when the wait is dropped")
{
    pa::thread_pool pool(1);
    pa::thread_loop loop;
    std::latch go(1);
    std::latch begun(1);
    bool second_ran = false;
    auto busy = [&] {
        begun.count_down();
        go.wait();
    };
    auto second = [&] { second_ran = true; };
    auto first_task = on_pool(&pool, busy);
    first_task.start(loop);
    begun.wait();  // the only thread is at it
    {
        auto second_task = on_pool(&pool, second);
        second_task.start(loop);
    }
    go.count_down();
    while (!first_task.finished()) REQUIRE(loop.run_one());
    CHECK(!second_ran);
}

TEST_CASE("dropping a wait while a thread runs the work blocks until that call returns")
{
    pa::thread_pool pool(1);
    pa::thread_loop loop;
    for (int i = 0; i < 100; ++i) {
        std::latch begun(1);
        bool returned = false;  // not atomic: the drop must order it
        auto work = [&] {
            begun.count_down();
            std::this_thread::yield();
            returned = true;
        };
        {
            auto t = on_pool(&pool, work);
            t.start(loop);
            begun.wait();
        }
        CHECK(returned);
    }
    CHECK(!loop.run_one());  // nobody is expected any more
}

TEST_CASE("a wait may be dropped at any moment around the work's end")
{
    pa::thread_pool pool(2);
    pa::thread_loop loop;
    std::atomic<int> runs{0};
    auto work = [&] { ++runs; };
    for (int i = 0; i < 500; ++i) {
        auto t = on_pool(&pool, work);
        t.start(loop);
        for (int spin = 0; spin < i % 50; ++spin) std::this_thread::yield();
    }
    CHECK(runs <= 500);
    CHECK(!loop.run_one());
}

TEST_CASE("a pool has at least one thread")
{
    pa::thread_pool pool(0);  // what std::thread::hardware_concurrency may return
    pa::thread_loop loop;
    CHECK(pa::sync_wait(loop, whereabouts(&pool)) != std::this_thread::get_id());
}
