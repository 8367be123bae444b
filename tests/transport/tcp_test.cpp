#include <papilio/transport/tcp.hpp>

#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>

#include "support/tcp_cluster.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace pa = papilio;
namespace tcp = papilio::tcp;
using namespace papilio::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

static_assert(pa::transport<tcp::transport>);
static_assert(pa::detail::reports_last_heard<tcp::transport>);

using net_ptr = std::unique_ptr<tcp::transport>;

const tcp::endpoint here{"127.0.0.1", 0};
const tcp::endpoint nowhere{};

/// Peers that listen where `own` says, and know of each other what they then have. A peer that
/// listens nowhere cannot be dialled.
std::vector<net_ptr> peers_at(pa::asio_loop& loop, const std::vector<tcp::endpoint>& own,
                              tcp::options o = {})
{
    std::vector<net_ptr> peers;
    for (std::size_t rank = 0; rank < own.size(); ++rank) {
        std::vector<tcp::endpoint> known(own.size());
        known[rank] = own[rank];
        peers.push_back(
            std::make_unique<tcp::transport>(loop, static_cast<int>(rank), std::move(known), o));
    }
    introduce_all(peers);
    return peers;
}

pa::task<> connect_all(std::vector<net_ptr>& peers)
{
    std::vector<pa::task<>> all;
    for (auto& p : peers) all.push_back(p->connect(20s));
    co_await pa::when_all(std::move(all));
}

pa::task<> send(tcp::transport& net, int peer, pa::tag t, std::size_t size)
{
    const std::vector<std::byte> message(size, std::byte{5});
    co_await net.send(peer, t, message);
}

pa::task<std::size_t> recv(tcp::transport& net, int peer, pa::tag t, std::size_t size)
{
    std::vector<std::byte> into(size);
    co_return co_await net.recv(peer, t, into);
}

pa::task<> exchange(std::vector<net_ptr>& peers)
{
    for (auto& from : peers)
        for (auto& to : peers) {
            if (from == to) continue;
            co_await send(*from, to->rank(), pa::tag{1}, 1000);
            co_await recv(*to, from->rank(), pa::tag{1}, 1000);
        }
}

template <class T>
std::system_error failure_of(pa::loop& loop, pa::task<T> work)
{
    try {
        pa::sync_wait(loop, std::move(work));
    } catch (const std::system_error& e) {
        return e;
    }
    return std::system_error(std::error_code{});
}

template <class F>
std::system_error failure_of(F f)
{
    try {
        f();
    } catch (const std::system_error& e) {
        return e;
    }
    return std::system_error(std::error_code{});
}

/// A port at which nobody listens.
tcp::endpoint free_endpoint()
{
    pa::asio_loop loop;
    return tcp::transport(loop, 0, {here}).local();
}

}  // namespace

TEST_CASE("the longest duration, as a limit or a timeout, is none")
{
    constexpr auto longest = pa::duration::max();
    pa::asio_loop loop;
    auto peers = peers_at(
        loop, {here, here},
        {.idle_timeout = longest, .unacked_timeout = longest, .handshake_timeout = longest});
    const auto meet_and_part = [&]() -> pa::task<> {
        co_await pa::when_all(peers[0]->connect(longest), peers[1]->connect(longest));
        co_await exchange(peers);
        co_await pa::when_all(peers[0]->close(longest), peers[1]->close(longest));
    };
    pa::sync_wait(loop, meet_and_part());
}

TEST_CASE("either side of a pair may be the one that can be dialled")
{
    pa::asio_loop loop;
    const auto own =
        GENERATE(std::vector{here, nowhere}, std::vector{nowhere, here}, std::vector{here, here},
                 std::vector{here, nowhere, here}, std::vector{nowhere, here, here});
    auto peers = peers_at(loop, own, {.connections = 2});
    pa::sync_wait(loop, connect_all(peers));
    for (auto& p : peers)
        for (int other = 0; other < p->size(); ++other)
            CHECK(p->connected(other) == (other != p->rank()));
    pa::sync_wait(loop, exchange(peers));
}

TEST_CASE("hosts may be names, to dial and to listen at")
{
    pa::asio_loop loop;
    auto by_name = peers_at(loop, {{"localhost", 0}, {"localhost", 0}});
    pa::sync_wait(loop, connect_all(by_name));
    pa::sync_wait(loop, exchange(by_name));

    // Whichever of the name's addresses comes first: the other side listens at one only.
    auto by_number = peers_at(loop, {here, here});
    by_number[1]->set_address(0, {"localhost", by_number[0]->local().port});
    pa::sync_wait(loop, connect_all(by_number));
    pa::sync_wait(loop, exchange(by_number));
}

TEST_CASE("endpoints are written as people write them")
{
    CHECK(to_string(tcp::endpoint{"10.0.0.1", 80}) == "10.0.0.1:80");
    CHECK(to_string(tcp::endpoint{"::1", 80}) == "[::1]:80");
    CHECK(to_string(tcp::endpoint{"host", 80}) == "host:80");
}

TEST_CASE("a peer may dial before the other listens")
{
    pa::asio_loop loop;
    const auto first = free_endpoint();
    tcp::transport early(loop, 1, {first, here});
    auto connecting = early.connect(20s);
    connecting.start(loop);
    const auto a_while = [&]() -> pa::task<> { co_await pa::sleep_for(15ms); };
    pa::sync_wait(loop, a_while());
    CHECK(!connecting.finished());
    tcp::transport late(loop, 0, {first, early.local()});
    pa::sync_wait(loop, late.connect(20s));
    while (!connecting.finished()) loop.run_one();
    CHECK_NOTHROW(connecting.result());
}

TEST_CASE("connecting again, and twice at once, connects once")
{
    tcp_cluster cluster(2, {.connections = 3}, false);
    const auto both = [](tcp::transport& net) -> pa::task<> {
        std::vector<pa::task<>> calls;
        calls.push_back(net.connect(20s));
        calls.push_back(net.connect({0, 1}, 20s));
        co_await pa::when_all(std::move(calls));
        co_await net.connect(20s);
    };
    const auto begin = cluster.loop().now();
    cluster.run(both);
    CHECK(cluster.loop().now() - begin < 20s);  // or one of them waited in vain
}

TEST_CASE("peers to connect with are named in place, or by a list that may go before the call ends")
{
    tcp_cluster cluster(3, {}, false);
    const auto connect = [](tcp::transport& net) -> pa::task<> {
        co_await net.connect({0, 1, 2}, 20s);
        co_await net.connect({1});
        auto later = [&] {
            const std::vector<int> ranks{0, 1, 2};
            return net.connect(ranks);
        }();
        co_await std::move(later);
        for (int peer = 0; peer < 3; ++peer) CHECK((peer == net.rank() || net.connected(peer)));
    };
    cluster.run(connect);
}

TEST_CASE("a peer that is missing is named, with what went wrong last")
{
    pa::asio_loop loop;
    const auto closed = free_endpoint();
    tcp::transport net(loop, 1, {closed, here, nowhere});
    const auto refused = failure_of(loop, net.connect({0}, 30ms));
    CHECK(refused.code() == pa::errc::timed_out);
    CHECK_THAT(refused.what(), Contains("peer 0 at " + to_string(closed)));
    CHECK_THAT(refused.what(), Contains("Connection refused"));
    const auto nobody = failure_of(loop, net.connect({2}, 5ms));
    CHECK(nobody.code() == pa::errc::timed_out);
    CHECK_THAT(nobody.what(), Contains("peer 2"));

    net.set_address(0, {std::string(300, 'x'), 1});  // no resolver takes that
    const auto unknown = failure_of(loop, net.connect({0}, 30ms));
    CHECK(unknown.code() == pa::errc::timed_out);
    CHECK_THAT(unknown.what(), Contains("peer 0 at xxx"));
}

TEST_CASE("a peer of another group, or with other connections, is told that it is refused")
{
    pa::asio_loop loop;
    tcp::transport first(loop, 0, {here, nowhere}, {.group = 7});
    const auto o = GENERATE(tcp::options{.group = 8}, tcp::options{.group = 7, .connections = 2});
    tcp::transport other(loop, 1, {first.local(), nowhere}, o);
    const auto failure = failure_of(loop, other.connect(30ms));
    CHECK(failure.code() == pa::errc::timed_out);
    CHECK_THAT(failure.what(), Contains("refused by the other side"));
}

TEST_CASE("an endpoint that cannot be listened at is named")
{
    pa::asio_loop loop;
    tcp::transport first(loop, 0, {here});
    const auto taken = failure_of([&] { tcp::transport second(loop, 0, {first.local()}); });
    CHECK(taken.code() == std::errc::address_in_use);
    CHECK_THAT(taken.what(), Contains("cannot listen at " + to_string(first.local())));
    const auto foreign = failure_of([&] { tcp::transport t(loop, 0, {{"192.0.2.1", 0}}); });
    CHECK(foreign.code() == std::errc::address_not_available);
    const auto unknown = failure_of([&] {
        tcp::transport t(loop, 0, {{std::string(300, 'x'), 0}});
    });
    CHECK_THAT(unknown.what(), Contains("cannot listen at xxx"));
}

TEST_CASE("invalid arguments are refused")
{
    pa::asio_loop loop;
    const auto refused = [&](int rank, tcp::options o) {
        return failure_of([&] { tcp::transport t(loop, rank, {here, here}, o); }).code();
    };
    CHECK(refused(0, {}) == std::error_code{});
    CHECK(refused(-1, {}) == pa::errc::bad_argument);
    CHECK(refused(2, {}) == pa::errc::bad_argument);
    CHECK(refused(0, {.connections = 0}) == pa::errc::bad_argument);
    CHECK(refused(0, {.max_peers = 1}) == pa::errc::bad_argument);
    CHECK(refused(0, {.heartbeat = 0s}) == pa::errc::bad_argument);
    CHECK(refused(0, {.max_message = std::size_t{1} << 32}) == pa::errc::bad_argument);
    CHECK(refused(0, {.congestion = "no such control"}));

    tcp_cluster cluster(2);
    auto& net = cluster.peer(0);
    for (const int nobody : {-1, 0, 2}) {
        CHECK(failure_of(cluster.loop(), send(net, nobody, pa::tag{1}, 5)).code() ==
              pa::errc::bad_argument);
        CHECK(failure_of(cluster.loop(), recv(net, nobody, pa::tag{1}, 5)).code() ==
              pa::errc::bad_argument);
    }
    CHECK(net.size() == 2);
}

TEST_CASE("the system's congestion controls can be chosen")
{
    tcp_cluster cluster(2, {.congestion = "reno"});
    const auto work = [](tcp::transport& net) -> pa::task<> {
        co_await send(net, 1 - net.rank(), pa::tag{1}, 100'000);
        co_await recv(net, 1 - net.rank(), pa::tag{1}, 100'000);
    };
    CHECK_NOTHROW(cluster.run(work));
}

TEST_CASE("a message beyond the limit is refused where it is sent, and harms no other")
{
    tcp_cluster cluster(2, {.max_message = 1000});
    const auto refused = failure_of(cluster.loop(), send(cluster.peer(0), 1, pa::tag{1}, 1001));
    CHECK(refused.code() == pa::errc::too_large);
    CHECK_THAT(refused.what(), Contains("max_message"));
    pa::sync_wait(cluster.loop(), send(cluster.peer(0), 1, pa::tag{1}, 1000));
    CHECK(pa::sync_wait(cluster.loop(), recv(cluster.peer(1), 0, pa::tag{1}, 1000)) == 1000);
}

TEST_CASE("uploads and downloads stay below their caps")
{
    const bool up = GENERATE(true, false);
    const tcp::options o =
        up ? tcp::options{.max_upload = 2'000'000} : tcp::options{.max_download = 2'000'000};
    tcp_cluster cluster(3, o);
    const auto begins = cluster.loop().now();
    cluster.run([up](tcp::transport& net) -> pa::task<> {
        std::vector<std::byte> message(200'000);
        const int one = up ? net.rank() : 0;  // sends everything, or receives it
        for (int peer = 0; peer < 3; ++peer) {
            const bool pair = (up ? net.rank() == 0 : peer == 0) && peer != net.rank();
            if (pair) {
                co_await net.send(peer, pa::tag{1}, message);
            }
        }
        for (int peer = 0; peer < 3; ++peer) {
            const bool pair = (up ? peer == 0 : net.rank() == one) && peer != net.rank();
            if (pair) {
                co_await net.recv(peer, pa::tag{1}, message);
            }
        }
    });
    const auto took = cluster.loop().now() - begins;
    CHECK(took >= 150ms);  // 400,000 bytes at 2 MB/s, less what a bucket holds
}

TEST_CASE("new peers may connect up to max_peers")
{
    pa::asio_loop loop;
    const int room = GENERATE(0, 8);
    tcp::transport old(loop, 0, {here}, {.max_peers = room});
    tcp::transport newcomer(loop, 5, {old.local(), {}, {}, {}, {}, here});
    auto meeting = newcomer.connect({0}, room ? pa::duration(20s) : 30ms);
    const auto failure = failure_of(loop, std::move(meeting));
    if (room == 0) {
        CHECK(failure.code() == pa::errc::timed_out);
        CHECK(old.size() == 1);
        return;
    }
    CHECK(!failure.code());
    pa::sync_wait(loop, old.connect({5}, 20s));
    CHECK(old.size() == 6);
    CHECK(old.connected(5));
    pa::sync_wait(loop, send(old, 5, pa::tag{1}, 10));
    CHECK(pa::sync_wait(loop, recv(newcomer, 0, pa::tag{1}, 10)) == 10);
}

TEST_CASE("last_heard advances with every byte")
{
    tcp_cluster cluster(2);
    auto& net = cluster.peer(0);
    const auto before = net.last_heard(1);
    pa::sync_wait(cluster.loop(), send(cluster.peer(1), 0, pa::tag{1}, 10));
    pa::sync_wait(cluster.loop(), recv(net, 1, pa::tag{1}, 10));
    CHECK(net.last_heard(1) > before);
}

TEST_CASE("a transport tells how often it sends heartbeats")
{
    tcp_cluster cluster(2, {.heartbeat = 123ms});
    CHECK(pa::detail::heartbeat(cluster.peer(0)) == pa::duration(123ms));
}

TEST_CASE("the round trip to a peer is known")
{
    tcp_cluster cluster(2, {.connections = 2});
    const auto there_and_back = cluster.peer(0).round_trip(1);
    REQUIRE(there_and_back);
    CHECK(*there_and_back > 0us);
    CHECK(*there_and_back < 10s);
}

TEST_CASE("arrived counts acknowledged bytes, not those that were sent")
{
    constexpr std::size_t size = std::size_t{32} << 20;  // more than sockets hold
    tcp_cluster cluster(2, {.connections = 2});
    auto& net = cluster.peer(0);
    CHECK(net.arrived(1) < 4096);
    const auto receive_late = [&]() -> pa::task<> {
        while (net.arrived(1) < 4096) {
            co_await pa::sleep_for(1ms);
        }
        CHECK(net.arrived(1) < size);
        co_await recv(cluster.peer(1), 0, pa::tag{1}, size);
        while (net.arrived(1) < size) {
            co_await pa::sleep_for(1ms);
        }
    };
    std::vector<pa::task<>> both;
    both.push_back(send(net, 1, pa::tag{1}, size));
    both.push_back(receive_late());
    pa::sync_wait(cluster.loop(), pa::test::all_of(std::move(both)));
    CHECK(net.arrived(1) < size + 4096);
}

TEST_CASE("heartbeats keep a quiet link up")
{
    tcp_cluster cluster(2, {.connections = 2, .heartbeat = 1ms, .idle_timeout = 5s});
    const auto before = cluster.peer(0).last_heard(1);
    const auto until_heard = [&]() -> pa::task<> {
        while (cluster.peer(0).last_heard(1) == before) {
            co_await pa::sleep_for(1ms);
        }
    };
    pa::sync_wait(cluster.loop(), until_heard());
    CHECK(cluster.peer(0).connected(1));
}

TEST_CASE("an idle link ends only where idle_timeout is set")
{
    pa::asio_loop loop;
    pa::asio_loop still;  // whose peer says nothing more, once it stands still
    const bool asked = GENERATE(false, true);
    tcp::transport listener(loop, 0, {here, nowhere},
                            {.heartbeat = 1ms, .idle_timeout = asked ? pa::duration(20ms) : 0ms});
    tcp::transport silent(still, 1, {listener.local(), nowhere});
    auto meeting = silent.connect(20s);
    meeting.start(still);
    const auto a_while = [&]() -> pa::task<> { co_await pa::sleep_for(1ms); };
    while (!meeting.finished() || !listener.connected(1)) {
        pa::sync_wait(still, a_while());
        pa::sync_wait(loop, a_while());
    }

    auto waiting = recv(listener, 1, pa::tag{1}, 10);
    waiting.start(loop);
    if (asked) {
        while (!waiting.finished()) loop.run_one();
        CHECK(failure_of([&] { waiting.result(); }).code() == pa::errc::silent);
        CHECK(failure_of(loop, send(listener, 1, pa::tag{1}, 10)).code() == pa::errc::silent);
    } else {
        const auto long_while = [&]() -> pa::task<> { co_await pa::sleep_for(50ms); };
        pa::sync_wait(loop, long_while());
        CHECK(!waiting.finished());
        CHECK(listener.connected(1));
    }
}

TEST_CASE("a peer is not blamed for a time in which our own loop stood still")
{
    tcp_cluster cluster(2, {.heartbeat = 1ms, .idle_timeout = 20ms});
    const auto work = [&](tcp::transport& net) -> pa::task<> {
        for (int i = 0; i < 3; ++i) {
            std::this_thread::sleep_for(30ms);  // an inner step, say
            co_await send(net, 1 - net.rank(), pa::tag{1}, 10);
            co_await recv(net, 1 - net.rank(), pa::tag{1}, 10);
        }
    };
    CHECK_NOTHROW(cluster.run(work));
}

TEST_CASE("close delivers the last messages")
{
    constexpr std::size_t size = std::size_t{9} << 20;
    tcp_cluster cluster(2, {.connections = GENERATE(1, 4)});
    const bool both_close = GENERATE(false, true);
    const auto work = [&](tcp::transport& net) -> pa::task<> {
        if (net.rank() == 0) {
            std::vector<pa::task<>> all;
            for (std::uint64_t i = 0; i < 5; ++i) all.push_back(send(net, 1, pa::tag{i}, size));
            all.push_back(net.close(20s));  // while the sends have hardly begun
            co_await pa::when_all(std::move(all));
            cluster.lose(0);
            co_return;
        }
        std::vector<pa::task<>> all;
        const auto take = [&](std::uint64_t i) -> pa::task<> {
            const auto got = co_await recv(net, 0, pa::tag{i}, size);
            if (got != size) throw std::logic_error("half a message");
        };
        for (std::uint64_t i = 0; i < 5; ++i) all.push_back(take(i));
        if (both_close) all.push_back(net.close(20s));
        co_await pa::when_all(std::move(all));
    };
    CHECK_NOTHROW(cluster.run(work));
    const auto after = failure_of(cluster.loop(), recv(cluster.peer(1), 0, pa::tag{9}, 1));
    CHECK(after.code() == pa::errc::disconnected);
}

TEST_CASE("close does not wait for ever for a peer that does not answer")
{
    pa::asio_loop loop;
    pa::asio_loop still;
    tcp::transport leaving(loop, 0, {here, nowhere});
    tcp::transport silent(still, 1, {leaving.local(), nowhere});
    auto meeting = silent.connect(20s);
    meeting.start(still);
    const auto a_while = [&]() -> pa::task<> { co_await pa::sleep_for(1ms); };
    while (!meeting.finished() || !leaving.connected(1)) {
        pa::sync_wait(still, a_while());
        pa::sync_wait(loop, a_while());
    }
    CHECK_NOTHROW(pa::sync_wait(loop, leaving.close(5ms)));
    CHECK(!leaving.connected(1));
}

TEST_CASE("a peer that ends in the middle of a message leaves no part of it")
{
    tcp_cluster cluster(2);
    auto& loop = cluster.loop();
    const std::vector<std::byte> message(std::size_t{64} << 20);  // more than any socket holds
    for (const bool posted : {false, true}) {
        tcp_cluster pair(2);
        auto receive = recv(pair.peer(1), 0, pa::tag{1}, message.size());
        if (posted) receive.start(pair.loop());
        {
            auto half = pair.peer(0).send(1, pa::tag{1}, message);
            half.start(pair.loop());
            for (int i = 0; i < 20; ++i) pair.loop().run_one();
            CHECK(!half.finished());
        }
        pair.lose(0);
        if (!posted) receive.start(pair.loop());
        while (!receive.finished()) pair.loop().run_one();
        CHECK(failure_of([&] { receive.result(); }).code() == pa::errc::disconnected);
        CHECK(failure_of(pair.loop(), send(pair.peer(1), 0, pa::tag{1}, 1)).code() ==
              pa::errc::disconnected);
    }
    // A sender whose receiver dies hears of it, too.
    auto unheard = cluster.peer(0).send(1, pa::tag{1}, message);
    unheard.start(loop);
    for (int i = 0; i < 20; ++i) loop.run_one();
    cluster.lose(1);
    while (!unheard.finished()) loop.run_one();
    CHECK(failure_of([&] { unheard.result(); }).code() == pa::errc::disconnected);
}
