#include <papilio/transport/base.hpp>
#include <papilio/transport/inproc.hpp>

#include "support/clusters.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstring>
#include <vector>

namespace pa = papilio;
using namespace papilio::test;

namespace {

pa::task<> send_number(pa::inproc::transport& net, int peer, int number)
{
    const auto message = std::as_bytes(std::span(&number, 1));
    co_await net.send(peer, pa::tag{1}, message);
}

pa::task<int> recv_number(pa::inproc::transport& net, int peer)
{
    int number = 0;
    const auto into = std::as_writable_bytes(std::span(&number, 1));
    co_await net.recv(peer, pa::tag{1}, into);
    co_return number;
}

}  // namespace

static_assert(pa::transport<pa::inproc::transport>);
static_assert(pa::detail::numbers_calls<pa::inproc::transport>);
static_assert(pa::detail::discards_calls<pa::inproc::transport>);

TEST_CASE("peers on one loop notice a deadlock")
{
    inproc_cluster cluster(2);
    const auto both_wait = [](pa::inproc::transport& net) -> pa::task<> {
        co_await recv_number(net, 1 - net.rank());
    };
    try {
        cluster.run(both_wait);
        FAIL("nobody sends");
    } catch (const std::system_error& e) {
        CHECK(e.code() == pa::errc::stalled);
    }
}

TEST_CASE("several peers may share each of several loops")
{
    pa::thread_loop first;
    pa::thread_loop second;
    pa::inproc::group group(std::vector<pa::loop*>{&first, &first, &second});
    const auto ring = [](pa::inproc::transport& net) -> pa::task<int> {
        co_await send_number(net, (net.rank() + 1) % 3, net.rank());
        const int heard = co_await recv_number(net, (net.rank() + 2) % 3);
        co_return heard;
    };
    const auto both = [&]() -> pa::task<int> {
        auto other = ring(group.peer(1));
        const int sum = co_await ring(group.peer(0));
        const int more = co_await other;
        co_return sum + more;
    };
    int last = -1;
    {
        const std::jthread thread([&] { last = pa::sync_wait(second, ring(group.peer(2))); });
        CHECK(pa::sync_wait(first, both()) == 2 + 0);
    }
    CHECK(last == 1);
}

TEST_CASE("a ring of threads keeps its count")
{
    constexpr int peers = 4;
    constexpr int laps = 500;
    inproc_threads_cluster cluster(peers);
    std::atomic<int> wrong{0};
    cluster.run([&](pa::inproc::transport& net) -> pa::task<> {
        for (int lap = 0; lap < laps; ++lap) {
            if (net.rank() == 0) {
                co_await send_number(net, 1, lap * peers);
            }
            const int heard = co_await recv_number(net, (net.rank() + peers - 1) % peers);
            const int expected = lap * peers + (net.rank() + peers - 1) % peers;
            if (heard != expected) ++wrong;
            if (net.rank() != 0) {
                co_await send_number(net, (net.rank() + 1) % peers, heard + 1);
            }
        }
    });
    CHECK(wrong == 0);
}

TEST_CASE("messages that nobody received are destroyed with their group")
{
    pa::thread_loop loop;
    pa::inproc::group group(2, loop);
    pa::sync_wait(loop, send_number(group.peer(0), 1, 5));
    group.peer(0).close();
}

TEST_CASE("a peer that does not exist is out of range")
{
    inproc_cluster cluster(2);
    CHECK_THROWS_AS(cluster.peer(2), std::out_of_range);
    CHECK_THROWS_AS(pa::sync_wait(cluster.loop(), send_number(cluster.peer(0), 2, 5)),
                    std::out_of_range);
}
