#include <papilio/async/offload.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/transport/inproc.hpp>
#include <papilio/transport/tcp.hpp>

#include <faults/drop_every_step.hpp>
#include <support/clusters.hpp>
#include <support/tcp_cluster.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

/// Everything a call has: several chunks and lanes, a lossy codec, an observer, in place.
struct averaging {
    template <class Net>
    pa::task<> operator()(Net& net) const
    {
        static constexpr std::array roles{pa::role::full, pa::role::full, pa::role::auxiliary,
                                          pa::role::observer};
        const pa::call_options options{
            .timeout = 30s, .roles = roles, .chunk_bytes = 512, .in_flight = 2};
        std::vector<float> data(1500, static_cast<float>(net.rank()));
        co_await pa::all_reduce_in_place(net, data, pa::mean{}, pa::int8b{}, options);
        const bool whole = net.rank() != 2;  // the auxiliary has its own part alone
        if (whole && data.front() != data.back()) throw std::system_error(pa::errc::bad_message);
    }
};

/// The same in two stages, and the parts apart.
struct staged {
    template <class Net>
    pa::task<> operator()(Net& net) const
    {
        static constexpr std::array radix{2, 2};
        const pa::call_options options{
            .timeout = 30s, .radix = radix, .chunk_bytes = 512, .in_flight = 2};
        std::vector<float> data(400, static_cast<float>(net.rank())), part(100);
        co_await pa::all_reduce_in_place(net, data, pa::mean{}, pa::int8b{}, options);
        co_await pa::reduce_scatter(net, data, part, pa::sum{}, pa::identity{}, options);
        co_await pa::all_gather(net, part, data, pa::int8b{}, options);
        co_await pa::broadcast(net, data, 2, pa::identity{}, options);
        co_await pa::barrier(net, options);
        if (data.front() != data.back()) throw std::system_error(pa::errc::bad_message);
    }
};

/// The way of little data.
struct summing {
    template <class Net>
    pa::task<> operator()(Net& net) const
    {
        std::vector<float> data(300, 1.f);
        co_await pa::all_reduce_in_place(net, data, pa::sum{}, pa::int8b{},
                                         pa::call_options{.timeout = 30s});
        if (data.front() != data.back()) throw std::system_error(pa::errc::bad_message);
    }
};

/// A sum that, on a worker, begins when the call is about to be dropped, and then takes a while.
struct late_sum {
    static constexpr pa::op_id id = pa::op_id::first_user;

    struct events {
        std::atomic<bool> reducing = false, dropping = false;
    };
    static inline events* seen = nullptr;
    static inline std::thread::id loop_thread;

    template <pa::element T>
    void reduce(std::span<const std::span<const T>> versions, std::span<const double> weights,
                std::span<T> out) const
    {
        const bool worker = std::this_thread::get_id() != loop_thread;
        if (worker) {
            seen->reducing = true;
            seen->reducing.notify_all();
            seen->dropping.wait(false);
        }
        for (int times = worker ? 20 : 1; times > 0; --times)
            pa::sum{}.reduce(versions, weights, out);
    }
};

pa::task<> sum_late(pa::inproc::transport& net, std::span<const float> in, std::span<float> out,
                    pa::thread_pool* pool)
{
    co_await pa::all_reduce(net, in, out, late_sum{}, pa::identity{},
                            pa::call_options{.chunk_bytes = 256 << 10, .pool = pool});
}

pa::task<> first_of(std::vector<pa::task<>> tasks)
{
    co_await pa::when_any(std::move(tasks));
}

pa::task<> until_a_worker_reduces(late_sum::events& e)
{
    while (!e.reducing) {
        co_await pa::yield{};
    }
    // By then the loop has nothing else to do: all that could arrive has arrived.
    for (int i = 0; i < 1000; ++i) {
        co_await pa::yield{};
    }
    e.dropping = true;
    e.dropping.notify_all();
}

}  // namespace

TEST_CASE("what a worker reduces lasts until it is done, though the call has been dropped")
{
    late_sum::events e;
    late_sum::seen = &e;
    late_sum::loop_thread = std::this_thread::get_id();
    pa::thread_pool pool(1);
    pa::thread_loop loop;
    pa::inproc::group group(3, loop);
    std::vector<std::vector<float>> in(3, std::vector<float>(600'000, 1.f)), out = in;
    std::vector<pa::task<>> work;
    for (int rank = 0; rank < 3; ++rank) {
        const auto i = static_cast<std::size_t>(rank);
        work.push_back(sum_late(group.peer(rank), in[i], out[i], rank == 0 ? &pool : nullptr));
    }
    work.push_back(until_a_worker_reduces(e));
    pa::sync_wait(loop, first_of(std::move(work)));
    CHECK(e.dropping);
}

TEST_CASE("a simulated all-reduce of little data can be dropped after any event, and lose a peer")
{
    const auto make = [] { return pa::test::sim_cluster(4, {.seed = 3, .jitter = 20ms}); };
    CHECK(pa::test::drop_at_every_step(make, summing{}) > 30);
    const auto judge = [](auto& cluster, const auto& others) {
        CHECK(cluster.world().now() < pa::time_point(30s));
        for (const auto& t : others) CHECK(t.finished());
    };
    CHECK(pa::test::lose_at_every_step(make, 1, summing{}, judge) > 30);
}

TEST_CASE("a simulated all-reduce can be dropped after any event")
{
    const auto runs = pa::test::drop_at_every_step(
        [] { return pa::test::sim_cluster(4, {.seed = 3, .jitter = 20ms}); }, averaging{});
    CHECK(runs > 500);
}

TEST_CASE("an all-reduce over TCP can be dropped after any event")
{
    const auto runs =
        pa::test::drop_at_every_step([] { return pa::test::tcp_cluster(4); }, averaging{}, 3);
    CHECK(runs > 100);
}

TEST_CASE("whenever a peer of a simulated all-reduce dies, the others come to an end")
{
    const auto judge = [](auto& cluster, const auto& others) {
        CHECK(cluster.world().now() < pa::time_point(30s));
        for (const auto& t : others) CHECK(t.finished());
    };
    const auto runs = pa::test::lose_at_every_step(
        [] { return pa::test::sim_cluster(4, {.seed = 4, .jitter = 20ms}); }, 1, averaging{}, judge,
        2);
    CHECK(runs > 250);
}

TEST_CASE("collectives in stages can be dropped after any event, and lose a peer")
{
    const auto make = [] { return pa::test::sim_cluster(4, {.seed = 3, .jitter = 20ms}); };
    CHECK(pa::test::drop_at_every_step(make, staged{}) > 200);
    const auto judge = [](auto& cluster, const auto& others) {
        CHECK(cluster.world().now() < pa::time_point(150s));
        for (const auto& t : others) CHECK(t.finished());
    };
    CHECK(pa::test::lose_at_every_step(make, 1, staged{}, judge) > 200);
}
