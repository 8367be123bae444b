#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/subset.hpp>

#include "support/clusters.hpp"

#include <catch2/catch.hpp>

#include <vector>

namespace pa = papilio;
using namespace papilio::test;
using Catch::Matchers::Contains;

namespace {

using net_type = pa::sim::transport;
using group = pa::subset<net_type>;

pa::task<> send_number(auto& net, int peer, pa::tag t, int number)
{
    const auto message = std::as_bytes(std::span(&number, 1));
    co_await net.send(peer, t, message);
}

pa::task<int> recv_number(auto& net, int peer, pa::tag t)
{
    int number = 0;
    const auto into = std::as_writable_bytes(std::span(&number, 1));
    co_await net.recv(peer, t, into);
    co_return number;
}

/// Four peers, of which each is known by other figures.
struct known_links {
    int rank() const { return 2; }
    int size() const { return 4; }
    pa::task<> send(int, pa::tag, pa::bytes) { co_return; }
    pa::task<std::size_t> recv(int, pa::tag, pa::mutable_bytes) { co_return 0; }
    pa::time_point last_heard(int peer) { return pa::time_point(pa::duration(peer)); }
    pa::duration heartbeat() { return pa::duration(7); }
    std::uint64_t arrived(int peer) { return 10 * static_cast<std::uint64_t>(peer); }
    pa::duration round_trip(int peer) { return pa::duration(100 * peer); }
    pa::task<bool> shares_host(int peer) { return pa::detail::known(peer == 3); }
};

std::error_code refusal(net_type& net, std::vector<int> members, std::uint32_t epoch)
{
    try {
        group g(net, std::move(members), epoch);
    } catch (const std::system_error& e) {
        return e.code();
    }
    return {};
}

}  // namespace

static_assert(pa::transport<group>);
static_assert(pa::transport<pa::subset<pa::any_transport>>);

TEST_CASE("a group has ranks of its own, in the order of its members")
{
    sim_cluster cluster(6);
    group g(cluster.peer(2), {5, 2, 0}, 1);
    CHECK(g.rank() == 1);
    CHECK(g.size() == 3);
    CHECK(g.member(0) == 5);
    CHECK(g.member(2) == 0);
    CHECK_THROWS_AS(g.member(3), std::out_of_range);
}

TEST_CASE("members that are unknown, repeated or missing are refused, as is an epoch out of range")
{
    sim_cluster cluster(3);
    auto& net = cluster.peer(1);
    CHECK(refusal(net, {0, 1, 2}, 1) == std::error_code{});
    CHECK(refusal(net, {1}, 4095) == std::error_code{});
    CHECK(refusal(net, {}, 1) == pa::errc::bad_argument);
    CHECK(refusal(net, {0, 2}, 1) == pa::errc::bad_argument);
    CHECK(refusal(net, {0, 1, 1}, 1) == pa::errc::bad_argument);
    CHECK(refusal(net, {1, 3}, 1) == pa::errc::bad_argument);
    CHECK(refusal(net, {-1, 1}, 1) == pa::errc::bad_argument);
    CHECK(refusal(net, {0, 1}, 0) == pa::errc::bad_argument);
    CHECK(refusal(net, {0, 1}, 4096) == pa::errc::bad_argument);

    CHECK_THROWS_WITH(group(net, {0, 1, 1}, 1), Contains("from 0 to 2, not 0, 1, 1"));
    CHECK_THROWS_WITH(group(net, {0, 2}, 1), Contains("must include peer 1"));
    CHECK_THROWS_WITH(group(net, {0, 1}, 4096), Contains("must be 1 to 4095, not 4096"));
}

TEST_CASE("messages of one epoch reach neither another epoch nor the transport itself")
{
    sim_cluster cluster(3);
    const pa::tag same = pa::make_tag({.call = 1, .index = 7});
    cluster.run([&](net_type& net) -> pa::task<> {
        group forth(net, {0, 1, 2}, 1);
        group back(net, {2, 1, 0}, 2);
        if (net.rank() == 1) {
            co_await send_number(net, 0, same, 100);
            co_await send_number(forth, 0, same, 101);
            co_await send_number(back, 2, same, 102);
        } else if (net.rank() == 0) {
            const int b = co_await recv_number(back, 1, same);
            const int f = co_await recv_number(forth, 1, same);
            const int n = co_await recv_number(net, 1, same);
            CHECK(b == 102);
            CHECK(f == 101);
            CHECK(n == 100);
        }
    });
}

TEST_CASE("what a group knows of a member is what the transport knows of that peer")
{
    known_links net;
    pa::subset<known_links> group(net, {3, 0, 2}, 1);
    for (int rank = 0; rank < 3; ++rank) {
        const auto peer = static_cast<std::uint64_t>(group.member(rank));
        CHECK(group.last_heard(rank) == pa::time_point(pa::duration(peer)));
        CHECK(group.heartbeat() == pa::duration(7));
        CHECK(group.arrived(rank) == 10 * peer);
        CHECK(group.round_trip(rank) == pa::duration(100 * peer));
        pa::sim::world loop;
        CHECK(pa::sync_wait(loop, group.shares_host(rank)) == (peer == 3));
    }
}

TEST_CASE("a group discards and numbers its own calls")
{
    sim_cluster cluster(2);
    const pa::tag same = pa::make_tag({.call = 1, .index = 7});
    cluster.run([&](net_type& net) -> pa::task<> {
        group first(net, {0, 1}, 1);
        group second(net, {0, 1}, 2);
        CHECK(first.calls().next() == 1);
        CHECK(first.calls().next() == 2);
        CHECK(second.calls().next() == 1);
        if (net.rank() == 1) {
            co_await send_number(first, 0, same, 1);
            co_await send_number(second, 0, same, 2);
            co_await send_number(first, 0, pa::make_tag({.call = 2}), 3);
        } else {
            first.discard_call(same);
            const int s = co_await recv_number(second, 1, same);
            const int f = co_await recv_number(first, 1, pa::make_tag({.call = 2}));
            CHECK(s == 2);
            CHECK(f == 3);
            pa::task<int> discarded = recv_number(first, 1, same);
            discarded.start(cluster.loop());
            co_await pa::sleep_for(std::chrono::seconds(10));
            CHECK(!discarded.finished());
            CHECK(first.last_heard(1) == net.last_heard(1));
            CHECK(first.last_heard(1) > pa::time_point{});
            CHECK_FALSE(first.arrived(1));
            CHECK(first.round_trip(1) == net.round_trip(1));
        }
    });
}
