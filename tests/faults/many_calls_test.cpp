// Many calls at once, begun by each peer in an order of its own and at times of its own: all of
// them succeed, and no peer keeps more than its limit, over many seeds. PAPILIO_SEEDS says which.

#include <papilio/collective/all_reduce.hpp>

#include <papilio/async/sleep.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/base/random.hpp>
#include <papilio/op.hpp>

#include <support/clusters.hpp>
#include <support/seeds.hpp>
#include <support/shm_cluster.hpp>
#include <support/tasks.hpp>
#include <support/tcp_cluster.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

constexpr int callers = 4;

/// A call's data, of a peer's own, and what their sum is.
std::vector<float> data_of(std::uint32_t call, int rank, std::size_t size)
{
    std::vector<float> data(size);
    for (std::size_t i = 0; i < size; ++i)
        data[i] =
            static_cast<float>((i * 7 + call * 31) % 101 * static_cast<std::size_t>(rank + 1));
    return data;
}

bool is_sum(const std::vector<float>& data, std::uint32_t call)
{
    for (std::size_t i = 0; i < data.size(); ++i)
        if (data[i] != static_cast<float>((i * 7 + call * 31) % 101 * (1 + 2 + 3 + 4)))
            return false;
    return true;
}

/// Makes one call of many, after a while, and counts it if it is right.
template <class Net>
pa::task<> call_after(Net& net, std::uint32_t call, std::size_t size, pa::duration wait, int& right)
{
    co_await pa::sleep_for(wait);
    auto data = data_of(call, net.rank(), size);
    const pa::call_options options{.timeout = 1h, .call = call};
    co_await pa::all_reduce_in_place(net, data, pa::sum{}, pa::identity{}, options);
    right += is_sum(data, call);
}

/// The gradients of a model, in buckets: some are tiny, one is much larger than what is kept.
std::vector<std::size_t> bucket_sizes(pa::random& random)
{
    std::vector<std::size_t> sizes(40);
    for (auto& s : sizes) s = random.below(std::uint64_t{1} << (4 + random.below(13)));
    sizes[random.below(40)] = 100'000;
    return sizes;
}

/// Every peer begins all calls, in an order and at times of its own; returns how many were right.
int run_buckets(int seed, pa::test::sim_cluster& cluster)
{
    pa::random random(static_cast<std::uint64_t>(seed));
    const auto sizes = bucket_sizes(random);
    int right = 0;
    cluster.run([&](pa::sim::transport& net) -> pa::task<> {
        pa::random own(static_cast<std::uint64_t>(10 * seed + net.rank()));
        std::vector<std::uint32_t> order(sizes.size());
        std::iota(order.begin(), order.end(), 1u);
        for (auto i = order.size(); i > 1; --i) std::swap(order[i - 1], order[own.below(i)]);
        const auto late = std::chrono::milliseconds(own.below(5000));
        std::vector<pa::task<>> calls;
        for (const auto call : order) {
            const auto step = std::chrono::milliseconds(own.below(100) * calls.size());
            calls.push_back(call_after(net, call, sizes[call - 1], late + step, right));
        }
        co_await pa::when_all(std::move(calls));
    });
    return right;
}

/// Lasts until a peer has kept no more for a while: whoever sends to it waits.
template <class Net>
pa::task<> others_wait(Net& net)
{
    for (std::size_t before = 0; before == 0 || net.most_early_bytes() > before;) {
        before = net.most_early_bytes();
        for (int turn = 0; turn < 2000; ++turn) {
            co_await pa::yield{};
        }
    }
}

constexpr std::uint32_t calls_at_once = 100;
constexpr std::size_t early_limit = std::size_t{2} << 20;

/// A hundred calls at once, of which a peer sends each other one twelve times what that keeps. One
/// peer begins when the others can do no more without it.
template <class Cluster>
void check_late_peer(Cluster& cluster)
{
    int right = 0;
    cluster.run([&](auto& net) -> pa::task<> {
        if (net.rank() == callers - 1) {
            co_await others_wait(net);
        }
        std::vector<pa::task<>> calls;
        for (std::uint32_t call = 1; call <= calls_at_once; ++call)
            calls.push_back(call_after(net, call, 256 << 10, {}, right));
        co_await pa::when_all(std::move(calls));
    });
    CHECK(right == callers * static_cast<int>(calls_at_once));
    for (int rank = 0; rank < callers; ++rank)
        CHECK(cluster.peer(rank).most_early_bytes() <= (callers - 1) * early_limit);
    CHECK(cluster.peer(callers - 1).most_early_bytes() > early_limit);  // it was late
}

}  // namespace

TEST_CASE("calls of mixed sizes, begun in any order and at any time, all succeed within the limit")
{
    const auto range = pa::test::seeds(100, 1000);
    for (int seed = range.first; seed <= range.last; ++seed) {
        INFO(pa::test::again(seed,
                             "calls of mixed sizes, begun in any order and at any time, all "
                             "succeed within the limit"));
        pa::random random(static_cast<std::uint64_t>(10 * seed + 9));
        const std::size_t limit = pa::wire::first_window << random.below(4);
        pa::test::sim_cluster cluster(callers,
                                      {.seed = static_cast<std::uint64_t>(seed),
                                       .latency = std::chrono::milliseconds(random.below(50)),
                                       .jitter = std::chrono::milliseconds(random.below(50)),
                                       .early_limit = limit});
        REQUIRE(run_buckets(seed, cluster) == 40 * callers);
        for (int rank = 0; rank < callers; ++rank)
            REQUIRE(cluster.peer(rank).most_early_bytes() <= (callers - 1) * limit);
    }
}

TEST_CASE("a hundred calls at once succeed within the limit though one is late, simulated")
{
    pa::test::sim_cluster cluster(callers, {.latency = 1ms, .early_limit = early_limit});
    int right = 0;
    cluster.run([&](pa::sim::transport& net) -> pa::task<> {
        const auto wait = net.rank() == callers - 1 ? 5s : 0s;
        std::vector<pa::task<>> calls;
        for (std::uint32_t call = 1; call <= calls_at_once; ++call)
            calls.push_back(call_after(net, call, 64 << 10, wait, right));
        co_await pa::when_all(std::move(calls));
    });
    CHECK(right == callers * static_cast<int>(calls_at_once));
    for (int rank = 0; rank < callers; ++rank)
        CHECK(cluster.peer(rank).most_early_bytes() <= (callers - 1) * early_limit);
}

TEST_CASE("a hundred calls at once succeed within the limit though one is late, in process")
{
    pa::test::inproc_cluster cluster(callers, early_limit);
    check_late_peer(cluster);
}

TEST_CASE("a hundred calls at once succeed within the limit though one is late, over TCP")
{
    pa::test::tcp_cluster cluster(callers, {.early_limit = early_limit});
    check_late_peer(cluster);
}

TEST_CASE("a hundred calls at once succeed within the limit though one is late, in shared memory")
{
    pa::test::shm_cluster cluster(callers, {.early_limit = early_limit});
    check_late_peer(cluster);
}

TEST_CASE("calls that a peer never makes leave nothing in its mailbox that holds up later ones")
{
    constexpr std::size_t limit = 256 << 10;
    pa::test::sim_cluster cluster(
        3, {.latency = 1ms, .jitter = GENERATE(0ms, 20ms), .early_limit = limit});
    const auto call = [](pa::sim::transport& net, std::uint32_t number) -> pa::task<bool> {
        auto data = data_of(number, net.rank(), 64 << 10);
        bool ended_well = true;
        try {
            const pa::call_options options{.timeout = 1s, .call = number};
            co_await pa::all_reduce_in_place(net, data, pa::sum{}, pa::identity{}, options);
        } catch (const pa::call_error&) {
            ended_well = false;
        }
        co_return ended_well;
    };
    cluster.run([&](pa::sim::transport& net) -> pa::task<> {
        for (std::uint32_t number = 1; number <= 50; ++number) {
            if (net.rank() == 2) break;
            const bool well = co_await call(net, number);
            CHECK(!well);
        }
        co_await pa::sleep_until(pa::time_point(10min));
        const bool well = co_await call(net, 51);
        CHECK(well);
        // So much nobody asks for, and it is gone: the window is free.
        if (net.rank() == 2) co_return;
        const std::vector<std::byte> early(limit / 2);
        co_await net.send(2, pa::user_tag(1), early);
    });
    CHECK(cluster.peer(2).most_early_bytes() <= 2 * limit);
}

TEST_CASE("more messages may wait than are announced at a time, and arrive in any order")
{
    constexpr std::uint64_t count = pa::wire::max_announced + 5000;
    pa::sim::world world({.seed = 3,
                          .peers = 2,
                          .latency = 1ms,
                          .jitter = 5ms,
                          .early_limit = pa::wire::first_window});
    const auto tag_of = [](std::uint64_t i) { return pa::tag{i << 32}; };
    const auto send = [](pa::sim::transport& net, pa::tag t) -> pa::task<> {
        co_await net.send(1, t, {});
    };
    world.run([&](pa::sim::transport& net) -> pa::task<> {
        if (net.rank() == 0) {
            std::vector<pa::task<>> sends;
            for (std::uint64_t i = 0; i < count; ++i) sends.push_back(send(net, tag_of(i)));
            co_await pa::when_all(std::move(sends));
        } else {
            co_await pa::sleep_for(1s);
            std::byte none{};
            for (std::uint64_t i = 0; i < count; ++i) {
                co_await net.recv(0, tag_of(i), {&none, 1});
            }
        }
    });
    CHECK(world.peer(1).most_early_bytes() <= pa::wire::first_window);
}
