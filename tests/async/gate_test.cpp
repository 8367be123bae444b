#include <papilio/async/gate.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>

#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace pa = papilio;

namespace {

pa::task<> pass(pa::gate& g, std::vector<int>& order, int who)
{
    co_await g.opened();
    order.push_back(who);
}

}  // namespace

TEST_CASE("a gate resumes all tasks that wait, in the order they came")
{
    pa::thread_loop loop;
    pa::gate g;
    std::vector<int> order;
    std::vector<pa::task<>> waiting;
    for (int who = 0; who < 3; ++who) {
        waiting.push_back(pass(g, order, who));
        waiting.back().start(loop);
    }
    pa::test::run_dry(loop);
    CHECK(order.empty());
    g.open();
    pa::test::run_dry(loop);
    CHECK(order == std::vector{0, 1, 2});
}

TEST_CASE("a gate stays open until it is closed")
{
    pa::thread_loop loop;
    pa::gate g;
    std::vector<int> order;
    g.open();
    CHECK(g.is_open());
    pa::sync_wait(loop, pass(g, order, 1));
    g.close();
    CHECK(!g.is_open());
    auto late = pass(g, order, 2);
    late.start(loop);
    pa::test::run_dry(loop);
    CHECK(order == std::vector{1});
}

TEST_CASE("a gate that closes at once still resumes the tasks that waited")
{
    pa::thread_loop loop;
    pa::gate g;
    std::vector<int> order;
    auto waiting = pass(g, order, 1);
    waiting.start(loop);
    g.open();
    g.close();
    pa::test::run_dry(loop);
    CHECK(order == std::vector{1});
}

TEST_CASE("a dropped wait is not resumed, before and after the gate opens")
{
    pa::thread_loop loop;
    pa::gate g;
    std::vector<int> order;
    std::optional<pa::task<>> first(pass(g, order, 1));
    auto second = pass(g, order, 2);
    std::optional<pa::task<>> third(pass(g, order, 3));
    first->start(loop);
    second.start(loop);
    third->start(loop);
    first.reset();
    g.open();
    third.reset();
    pa::test::run_dry(loop);
    CHECK(order == std::vector{2});
}
