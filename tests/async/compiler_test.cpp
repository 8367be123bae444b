// The coroutine shapes that the house rules permit. Should a compiler break one of them, it is
// better to hear of it here.

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/swarm/rendezvous.hpp>
#include <papilio/swarm/state_transfer.hpp>
#include <papilio/transport/pipe.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace pa = papilio;

namespace {

pa::task<bool> yes()
{
    co_await pa::yield{};
    co_return true;
}

pa::task<int> three()
{
    co_await pa::yield{};
    co_return 3;
}

template <class T>
T run(pa::task<T> work)
{
    pa::thread_loop loop;
    return pa::sync_wait(loop, std::move(work));
}

/// Counts its living instances: above zero after a test is a leak, below is a double destruction.
struct tracer {
    static inline int living = 0;
    tracer() { ++living; }
    tracer(const tracer&) { ++living; }
    tracer(tracer&&) noexcept { ++living; }
    tracer& operator=(const tracer&) = default;
    ~tracer() { --living; }
};

/// Says whether everything that a test made was destroyed once.
struct balance {
    balance() { tracer::living = 0; }
    bool kept() const { return tracer::living == 0; }
};

}  // namespace

TEST_CASE("an await on a line of its own may decide what comes next")
{
    const auto work = []() -> pa::task<int> {
        const bool ok = co_await yes();
        if (ok) co_return 1;
        co_return 2;
    };
    CHECK(run(work()) == 1);
}

TEST_CASE("an await may stand in the body of a loop, a branch, a switch or a try")
{
    const auto work = [](std::vector<int> values) -> pa::task<int> {
        int sum = 0;
        for (int x : values) {
            co_await yes();
            sum += x;
        }
        while (sum < 10) {
            co_await yes();
            ++sum;
        }
        do {
            co_await yes();
        } while (++sum < 20);
        if (sum == 20)
            co_await yes();
        else
            co_await three();
        switch (sum) {
        case 20: co_await yes(); break;
        default: sum = -1;
        }
        try {
            co_await yes();
        } catch (...) {
            sum = -1;
        }
        co_return sum;
    };
    CHECK(run(work({1, 2, 3})) == 20);
}

TEST_CASE("an await may be part of an expression")
{
    const auto work = []() -> pa::task<int> {
        int sum = 0;
        sum += co_await three();
        sum += 4 + co_await three() + co_await three();
        co_return sum + (co_await yes() ? 10 : 20);
    };
    CHECK(run(work()) == 23);
}

TEST_CASE("an await may throw out of a try whose objects have destructors")
{
    const balance b;
    const auto fails = [](tracer) -> pa::task<> {
        co_await yes();
        throw 5;
    };
    const auto work = [&fails]() -> pa::task<int> {
        int caught = 0;
        for (int i = 0; i < 3; ++i) {
            const tracer local;
            try {
                const tracer inner;
                tracer given;
                co_await fails(given);
            } catch (int n) {
                caught += n;
            }
        }
        co_return caught;
    };
    CHECK(run(work()) == 15);
    CHECK(b.kept());
}

TEST_CASE("an awaited call may be given temporaries of classes with constructors")
{
    class counted {
    public:
        explicit counted(int n) : n_(n) {}
        int n() const { return n_; }

    private:
        int n_;
        tracer alive_;
    };
    const balance b;
    const auto size = [](std::string s, std::vector<int> v, std::shared_ptr<int> p,
                         counted c) -> pa::task<int> {
        co_await yes();
        co_return static_cast<int>(s.size() + v.size()) + *p + c.n();
    };
    const auto work = [&size](std::vector<int> v) -> pa::task<int> {
        co_return co_await size(std::string(100, 'x'), std::vector<int>(v.begin(), v.end()),
                                std::make_shared<int>(3), counted(4));
    };
    CHECK(run(work({1, 2})) == 109);
    CHECK(b.kept());
}

TEST_CASE("an awaited call may be given options that have nothing to destroy")
{
    struct options {
        int a = 1;
        double b = 2;
    };
    STATIC_REQUIRE(std::is_trivially_destructible_v<options>);
    const auto use = [](options o) -> pa::task<int> {
        co_await yes();
        co_return o.a + static_cast<int>(o.b);
    };
    const auto work = [&use]() -> pa::task<int> { co_return co_await use({.b = 5}); };
    CHECK(run(work()) == 6);
}

TEST_CASE("an awaited call may be given options with lists in place")
{
    STATIC_REQUIRE(std::is_trivially_destructible_v<pa::call_options>);
    pa::test::sim_cluster cluster(2);
    cluster.run([](auto& net) -> pa::task<> {
        const std::vector<float> in{1, 2, 3, 4};
        const std::vector<float> twice{2, 4, 6, 8};
        std::vector<float> out(4), part(net.rank() == 0 ? 1 : 3);
        for (int i = 0; i < 3; ++i) {
            co_await pa::all_reduce(net, in, out, {.shares = {1, 2}});
            CHECK(out == twice);
        }
        const auto made = co_await pa::all_reduce(net, in, out, pa::sum{}, pa::identity{},
                                                  {.shares = {1, 0.5}, .radix = {2}});
        CHECK(made.made_of.front().from.size() == 2);
        co_await pa::all_reduce(net, in, out, {.roles = {pa::role::client, pa::role::full}});
        CHECK(out == twice);
        co_await pa::reduce_scatter(net, in, part, {.sizes = {1, in.size() - 1}});
        CHECK(part.back() == (net.rank() == 0 ? 2 : 8));
    });
}

TEST_CASE("an awaited call may be given lists in place")
{
    pa::test::sim_cluster cluster(2);
    pa::state_snapshot state;
    state.round = 9;
    state.spans = {{1, 2, 3}, {4, 5}};
    const auto latest = std::make_shared<const pa::state_snapshot>(state);
    const auto fetch = [&](auto& net) -> pa::task<> {
        for (int i = 0; i < 3; ++i) {
            const auto one = co_await pa::fetch_state(net, 1, {3, 2});
            CHECK(one.spans == state.spans);
            const auto any =
                co_await pa::fetch_state(net, {1, 1}, {state.spans[0].size(), 2}, {.min_round = 9});
            CHECK(any.spans == state.spans);
        }
    };
    const auto until_fetched = [&]() -> pa::task<> {
        std::vector<pa::task<>> either;
        either.push_back(fetch(cluster.peer(0)));
        either.push_back(pa::serve_state(cluster.peer(1), 0, latest));
        co_await pa::when_any(std::move(either));
    };
    pa::sync_wait(cluster.loop(), until_fetched());
}

// The texts are too long to lie in the strings themselves, so that a sanitizer sees them destroyed.
TEST_CASE("an awaited call may be given messages in place")
{
    const std::string run_name(100, 'r'), first(100, 'a'), second(100, 'b');
    pa::sim::world world;
    pa::rendezvous_server server(world, {run_name, 1, 1, 0, first}, {"", 9000},
                                 {.groups = {.min_group = 2, .group_wait = pa::duration(1)}});
    const auto member = [&](pa::rendezvous_client& c, std::uint16_t port) -> pa::task<> {
        const auto me = co_await c.join(
            {run_name, "member " + std::to_string(port), {"", port}, std::uint64_t{1}, 1});
        co_await c.announce({"the host of member " + std::to_string(port), port});
        co_await c.report_state_held({me.now.round, first});
        co_await c.report_round_ready({me.now.round, me.now.digest, 10, 100, 1.5});
        const auto found = co_await c.await_group();
        const auto& group = std::get<pa::wire::group>(found);
        CHECK(group.members.size() == 2);
        const auto outcome = co_await c.report_round({group.round, group.attempt, true, second});
        CHECK(outcome.yours);
        CHECK(outcome.now.digest == second);
        co_await c.leave();
    };
    std::vector<std::unique_ptr<pa::rendezvous_client>> clients;
    for (int i = 0; i < 2; ++i) {
        auto ends = pa::make_pipe(world, pa::duration(1000));
        server.welcome(pa::any_channel(std::move(ends.first)));
        clients.push_back(std::make_unique<pa::rendezvous_client>(
            world, pa::any_channel(std::move(ends.second))));
    }
    const auto both = [&]() -> pa::task<> {
        std::vector<pa::task<>> members;
        members.push_back(member(*clients[0], 1));
        members.push_back(member(*clients[1], 2));
        co_await pa::when_all(std::move(members));
    };
    pa::sync_wait(world, both());
    CHECK(server.run().round() == 1);
}

TEST_CASE("an awaited call may be given a lambda that has nothing to destroy")
{
    const auto apply = [](auto f) -> pa::task<int> {
        co_await yes();
        co_return f(2);
    };
    const auto work = [&apply]() -> pa::task<int> {
        int factor = 3;
        ++factor;
        co_return co_await apply([factor](int x) { return factor * x; });
    };
    CHECK(run(work()) == 8);
}

TEST_CASE("an awaited call may be given named things with destructors")
{
    struct options {
        int a = 1;
        tracer alive;
    };
    const balance b;
    const auto by_value = [](options o, std::function<int()> f) -> pa::task<int> {
        co_await yes();
        co_return o.a + f();
    };
    const auto work = [&by_value]() -> pa::task<int> {
        options named{.a = 5, .alive = {}};
        std::function<int()> f = [t = tracer()] { return 6; };
        co_return co_await by_value(std::move(named), std::move(f));
    };
    CHECK(run(work()) == 11);
    CHECK(b.kept());
}

TEST_CASE("a task may be named first and awaited later")
{
    struct options {
        int a = 1;
        tracer alive;
    };
    const balance b;
    const auto by_value = [](options o) -> pa::task<int> {
        co_await yes();
        co_return o.a;
    };
    const auto work = [&by_value]() -> pa::task<int> {
        auto later = by_value({.a = 7, .alive = {}});
        co_await yes();
        co_return co_await later;
    };
    CHECK(run(work()) == 7);
    CHECK(b.kept());
}

TEST_CASE("a named vector of tasks may be awaited together")
{
    const balance b;
    const auto child = [](tracer, int& sum, int n) -> pa::task<> {
        co_await yes();
        sum += n;
    };
    const auto work = [&child]() -> pa::task<int> {
        int sum = 0;
        std::vector<pa::task<>> children;
        for (int n = 1; n <= 4; ++n) children.push_back(child(tracer(), sum, n));
        co_await pa::when_all(std::move(children));
        co_return sum;
    };
    CHECK(run(work()) == 10);
    CHECK(b.kept());
}

TEST_CASE("a task may be dropped in each of these shapes")
{
    const balance b;
    const auto inner = [](std::string s, tracer) -> pa::task<int> {
        co_await yes();
        co_return static_cast<int>(s.size());
    };
    const auto work = [&inner]() -> pa::task<int> {
        int sum = 0;
        for (int i = 0; i < 2; ++i) {
            const tracer local;
            sum += co_await inner(std::string(50, 'x'), tracer()) + co_await three();
        }
        auto later = inner("named", tracer());
        co_return sum + co_await later;
    };
    bool done = false;
    for (int steps = 0; !done; ++steps) {
        pa::thread_loop loop;
        {
            auto t = work();
            t.start(loop);
            for (int i = 0; i < steps; ++i) loop.run_one();
            done = t.finished();
            if (done) CHECK(t.result() == 111);
        }
        CHECK(b.kept());
    }
}
