#include "faults/drop_every_step.hpp"

#include <papilio/transport/tcp.hpp>

#include "support/tcp_cluster.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <vector>

namespace pa = papilio;
using namespace papilio::test;
using namespace std::chrono_literals;

namespace {

constexpr int peers = 3;
constexpr std::size_t small = 50;
constexpr std::size_t large = 300'000;  // many reads

pa::task<> send(auto& net, int peer, pa::tag t, std::size_t size)
{
    const std::vector<std::byte> message(size, static_cast<std::byte>(net.rank()));
    co_await net.send(peer, t, message);
}

pa::task<> recv(auto& net, int peer, pa::tag t, std::size_t size)
{
    std::vector<std::byte> into(size);
    const auto got = co_await net.recv(peer, t, into);
    if (got != size || into.back() != static_cast<std::byte>(peer)) throw std::logic_error("bytes");
}

/// Everybody sends everybody else a small and a large message. Some receives wait, some messages
/// come early.
pa::task<> exchange(auto& net)
{
    std::vector<pa::task<>> all;
    for (int peer = 0; peer < net.size(); ++peer) {
        if (peer == net.rank()) continue;
        all.push_back(recv(net, peer, pa::tag{1}, large));
        all.push_back(send(net, peer, pa::tag{2}, small));
        all.push_back(send(net, peer, pa::tag{1}, large));
    }
    co_await pa::when_all(std::move(all));
    for (int peer = 0; peer < net.size(); ++peer) {
        if (peer != net.rank()) {
            co_await recv(net, peer, pa::tag{2}, small);
        }
    }
}

pa::task<> connect_and_exchange(pa::tcp::transport& net)
{
    co_await net.connect();
    co_await exchange(net);
    co_await net.close();
}

auto simulated()
{
    return sim_cluster(peers, pa::sim::weather{.seed = 3, .jitter = 20ms});
}

template <int Connections>
auto over_tcp()
{
    return tcp_cluster(peers, pa::tcp::options{.connections = Connections});
}

template <int Connections>
auto not_yet_connected()
{
    return tcp_cluster(peers, pa::tcp::options{.connections = Connections}, false);
}

/// A survivor has all its messages, or hears of the loss.
void survives(auto&, std::vector<pa::task<>>& survivors)
{
    for (auto& t : survivors) {
        try {
            t.result();
        } catch (const std::system_error& e) {
            CHECK(e.code() == pa::errc::disconnected);
        }
    }
}

}  // namespace

TEST_CASE("a simulated exchange can be dropped after any event")
{
    const auto program = [](pa::sim::transport& net) { return exchange(net); };
    CHECK(drop_at_every_step(simulated, program) > 30);
}

TEST_CASE("an exchange within a process can be dropped after any event")
{
    const auto make = [] { return inproc_cluster(peers); };
    const auto program = [](pa::inproc::transport& net) { return exchange(net); };
    CHECK(drop_at_every_step(make, program) > 30);
}

TEST_CASE("connecting, an exchange and the shutdown over TCP can be dropped after any event")
{
    CHECK(drop_at_every_step(not_yet_connected<1>, connect_and_exchange) > 100);
    CHECK(drop_at_every_step(not_yet_connected<4>, connect_and_exchange, 11) > 10);
}

TEST_CASE("the loss of a peer after any event leaves nobody waiting")
{
    const auto in_simulation = [](pa::sim::transport& net) { return exchange(net); };
    const auto on_sockets = [](pa::tcp::transport& net) { return exchange(net); };
    const auto judge = [](auto& cluster, auto& tasks) { survives(cluster, tasks); };
    for (const int victim : {0, 2}) {
        CHECK(lose_at_every_step(simulated, victim, in_simulation, judge) > 30);
        CHECK(lose_at_every_step(over_tcp<1>, victim, on_sockets, judge) > 30);
        CHECK(lose_at_every_step(over_tcp<4>, victim, on_sockets, judge, 7) > 5);
    }
}

TEST_CASE("a send that the network has not taken yet can be dropped")
{
    tcp_cluster cluster(2);
    const std::vector<std::byte> message(std::size_t{64} << 20);
    {
        auto t = cluster.peer(0).send(1, pa::tag{1}, message);
        t.start(cluster.loop());
        CHECK(!t.finished());
    }
    cluster.settle();
}
