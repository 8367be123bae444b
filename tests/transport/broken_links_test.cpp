// What real links do when the network breaks them under transports that live on.

#include <papilio/transport/hybrid.hpp>
#include <papilio/transport/shm.hpp>
#include <papilio/transport/tcp.hpp>

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/base/random.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/transport/subset.hpp>

#include <support/break_connections.hpp>
#include <support/hybrid_cluster.hpp>
#include <support/shm_cluster.hpp>
#include <support/tasks.hpp>
#include <support/tcp_cluster.hpp>
#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <utility>
#include <vector>

namespace pa = papilio;
using namespace papilio::test;
using namespace std::chrono_literals;

namespace {

pa::task<> nothing()
{
    co_return;
}

/// Three connected peers that add up vectors.
template <class Cluster>
struct adders {
    explicit adders(typename Cluster::options o = {}) : cluster(3, o) {}

    static std::vector<float> data_of(int rank, std::size_t size)
    {
        pa::random random(static_cast<std::uint64_t>(rank) + 1);
        std::vector<float> data(size);
        for (auto& x : data) x = static_cast<float>(random.below(1000));
        return data;
    }

    /// How many peers a call succeeds for, with the right bits, while `beside` runs.
    int sums(std::size_t size, pa::task<> (*beside)() = nothing)
    {
        auto right = data_of(0, size);
        for (int rank : {1, 2}) {
            const auto other = data_of(rank, size);
            for (std::size_t i = 0; i < size; ++i) right[i] += other[i];
        }
        int successes = 0;
        const auto add = [&](typename Cluster::transport& net) -> pa::task<> {
            co_await net.connect(60s);
            auto data = data_of(net.rank(), size);
            try {
                co_await pa::all_reduce_in_place(net, data, {.timeout = 60s});
                successes += data == right;
            } catch (const pa::call_error&) {
                // counted as it is not
            }
        };
        cluster.run([&](typename Cluster::transport& net) {
            std::vector<pa::task<>> work;
            work.push_back(add(net));
            if (net.rank() == 0) work.push_back(beside());
            return all_of(std::move(work));
        });
        return successes;
    }

    Cluster cluster;
};

int break_all()
{
    return break_connections(AF_INET) + break_connections(AF_UNIX);
}

pa::task<> break_in_the_middle()
{
    for (int turn = 0; turn < 20; ++turn) {
        co_await pa::yield{};
    }
    break_all();
}

}  // namespace

TEMPLATE_TEST_CASE(
    "links between living transports that break come back, and calls are right again", "",
    tcp_cluster, shm_cluster, hybrid_cluster)
{
    adders<TestType> three;
    for (std::uint32_t breaks = 1; breaks <= 3; ++breaks) {
        CHECK(break_all() == 6);
        three.cluster.settle();
        CHECK(three.sums(100'000) == 3);
        for (int peer : {1, 2}) CHECK(three.cluster.peer(0).link_number(peer) == breaks);
    }
}

namespace {

/// Waits for changes of links until there is another one to peer 1.
pa::task<> follow_links(tcp_cluster::transport& net, std::vector<std::uint32_t>& seen)
{
    while (seen.size() < 2) {
        net.link_changes().close();
        const auto number = net.link_number(1);
        if (net.connected(1) && (seen.empty() || seen.back() != number)) {
            seen.push_back(number);
            if (seen.size() == 1) break_all();
        }
        co_await net.link_changes().opened();
    }
}

}  // namespace

TEST_CASE("whoever waits for changes of links sees each of them")
{
    adders<tcp_cluster> three;
    std::vector<std::uint32_t> seen;
    three.cluster.run([&](tcp_cluster::transport& net) {
        return net.rank() == 0 ? follow_links(net, seen) : net.connect(60s);
    });
    CHECK(seen == std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("links of several connections come back whole")
{
    adders<tcp_cluster> three({.connections = 4});
    for (int breaks = 0; breaks < 3; ++breaks) {
        CHECK(break_all() == 24);
        three.cluster.settle();
        CHECK(three.sums(100'000) == 3);
    }
}

TEMPLATE_TEST_CASE(
    "a call that is under way when links break fails everywhere, and the next is right", "",
    tcp_cluster, shm_cluster)
{
    adders<TestType> three;
    CHECK(three.sums(2'000'000, break_in_the_middle) == 0);
    CHECK(three.sums(100'000) == 3);
}

TEMPLATE_TEST_CASE("a transport that was made anew gets in where it is admitted, and not before",
                   "", tcp_cluster, shm_cluster)
{
    adders<TestType> three;
    const int rank = GENERATE(0, 2);
    three.cluster.replace(rank);
    auto& fresh = three.cluster.peer(rank);
    CHECK_THROWS_AS(pa::sync_wait(three.cluster.loop(), fresh.connect(300ms)), std::system_error);
    for (int other : {0, 1, 2})
        if (other != rank) CHECK_FALSE(three.cluster.peer(other).connected(rank));
    for (int other : {0, 1, 2})
        if (other != rank) three.cluster.peer(other).admit(rank);
    three.cluster.run([](auto& net) { return net.connect(60s); });
    int right = 0;
    three.cluster.run([&](typename TestType::transport& net) -> pa::task<> {
        pa::subset group(net, {0, 1, 2}, 1);
        std::vector<float> data(1000, 1.f);
        co_await pa::all_reduce_in_place(group, data, {.timeout = 60s});
        right += data == std::vector<float>(1000, 3.f);
    });
    CHECK(right == 3);
}

namespace {

/// Gives up `peer` while this one waits for a link to it.
template <class Net>
std::error_code end_of_wait(pa::loop& on, Net& net, int peer)
{
    const auto gives_up = [&]() -> pa::task<> {
        co_await pa::sleep_for(1ms);
        net.give_up(peer);
    };
    std::vector<pa::task<>> work;
    work.push_back(net.connect({peer}, 60s));
    work.push_back(gives_up());
    return thrown_by([&] { pa::sync_wait(on, all_of(std::move(work))); });
}

}  // namespace

TEST_CASE("a peer that is given up before it was there is waited for no longer")
{
    pa::asio_loop loop;
    pa::tcp::transport net(loop, 1, {{"127.0.0.1", 1}, {"127.0.0.1", 0}, {"127.0.0.1", 1}});
    for (int peer : {0, 2}) {  // one that it dials, and one that dials it
        CHECK(end_of_wait(loop, net, peer) == pa::errc::disconnected);
        CHECK(net.has_left(peer));
    }
}

TEST_CASE("a peer whose link has broken and that is given up is waited for until it is admitted")
{
    adders<tcp_cluster> three;
    three.cluster.replace(2);
    three.cluster.settle();
    for (int other : {0, 1}) {
        auto& net = three.cluster.peer(other);
        CHECK(end_of_wait(three.cluster.loop(), net, 2) == pa::errc::disconnected);
        CHECK(net.has_left(2));
    }
    three.cluster.replace(0);
    three.cluster.settle();
    auto& above = three.cluster.peer(1);  // it dials the one that is gone
    CHECK(end_of_wait(three.cluster.loop(), above, 0) == pa::errc::disconnected);
    for (int other : {0, 1, 2})
        for (int peer : {0, 1, 2})
            if (peer != other) three.cluster.peer(other).admit(peer);
    three.cluster.run([](auto& net) { return net.connect(60s); });
}
