#include <papilio/async/asio_ready_set.hpp>

#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/error.hpp>

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>
#include <utility>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

/// Two ends of a Unix socket, one of them in the loop's ready set.
struct watched_pair {
    explicit watched_pair(pa::asio_loop& on)
    {
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) ==
                0);
        here.emplace(pa::ready_set::of(on), ends[0]);
    }
    ~watched_pair()
    {
        here.reset();
        for (const int fd : ends)
            if (fd >= 0) ::close(fd);
    }
    void write() const { REQUIRE(::send(ends[1], "xy", 2, MSG_NOSIGNAL) == 2); }
    ssize_t read(std::size_t size) const
    {
        std::array<char, 4096> into;
        return ::recv(ends[0], into.data(), std::min(size, into.size()), 0);
    }
    void fill() const
    {
        std::array<char, 4096> bytes{};
        while (::send(ends[0], bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) continue;
    }
    void drain_other() const
    {
        std::array<char, 4096> bytes{};
        while (::recv(ends[1], bytes.data(), bytes.size(), 0) > 0) continue;
    }
    void close_here()
    {
        here.reset();
        ::close(std::exchange(ends[0], -1));
    }
    void end_other() { ::close(std::exchange(ends[1], -1)); }

    std::array<int, 2> ends{-1, -1};
    std::optional<pa::ready_set::member> here;
};

pa::task<> until_readable(watched_pair& pair)
{
    co_await pair.here->readable();
}

pa::task<> until_writable(watched_pair& pair)
{
    co_await pair.here->writable();
}

pa::task<> write_later(watched_pair& pair, pa::time_point when)
{
    co_await pa::sleep_until(when);
    pair.write();
}

}  // namespace

TEST_CASE("a descriptor of a ready set is worth a try from the start")
{
    pa::asio_loop loop;
    watched_pair pair(loop);
    pa::sync_wait(loop, until_readable(pair));
    pa::sync_wait(loop, until_writable(pair));
    CHECK(pair.read(10) < 0);
}

TEST_CASE("a ready set wakes who waits for bytes, also a loop that sleeps, time and again")
{
    pa::asio_loop loop;
    watched_pair pair(loop);
    for (int i = 0; i < 3; ++i) {
        CHECK(pair.read(10) < 0);
        pair.here->read_blocked();
        const auto begin = loop.now();
        pa::task<> both = [](pa::task<> a, pa::task<> b) -> pa::task<> {
            co_await pa::when_all(std::move(a), std::move(b));
        }(until_readable(pair), write_later(pair, begin + 5ms));
        pa::sync_wait(loop, std::move(both));
        CHECK(loop.now() >= begin + 5ms);
        CHECK(pair.read(10) == 2);
    }
}

TEST_CASE("bytes that come between a read and the word that all is read are not lost")
{
    pa::asio_loop loop;
    watched_pair pair(loop);
    CHECK(pair.read(10) < 0);
    pair.write();
    pair.here->read_blocked();
    pa::sync_wait(loop, until_readable(pair));
    CHECK(pair.read(10) == 2);
}

TEST_CASE("the end of a stream in a ready set stays to be read, whatever has been read before it")
{
    pa::asio_loop loop;
    watched_pair pair(loop);
    CHECK(pair.read(10) < 0);
    pair.here->read_blocked();
    pair.write();
    pair.end_other();
    pa::sync_wait(loop, until_readable(pair));
    CHECK(pair.read(10) == 2);
    pair.here->read_short();
    pa::sync_wait(loop, until_readable(pair));
    CHECK(pair.read(10) == 0);
}

TEST_CASE("a ready set tells when there is space again")
{
    pa::asio_loop loop;
    watched_pair pair(loop);
    pair.fill();
    pair.here->write_blocked();
    auto waits = until_writable(pair);
    waits.start(loop);
    CHECK(!waits.finished());
    pair.drain_other();
    while (!waits.finished()) REQUIRE(loop.run_one());
}

TEST_CASE("that the other end writes no more does not make a write worth a try")
{
    pa::asio_loop loop;
    watched_pair pair(loop);
    pair.fill();
    pair.here->write_blocked();
    pair.here->read_blocked();
    auto waits = until_writable(pair);
    waits.start(loop);
    REQUIRE(::shutdown(pair.ends[1], SHUT_WR) == 0);
    pa::sync_wait(loop, until_readable(pair));
    pa::sync_wait(loop, pa::sleep_for(2ms));
    CHECK(!waits.finished());
    pair.drain_other();
    while (!waits.finished()) REQUIRE(loop.run_one());
}

TEST_CASE("a failure makes both a read and a write worth a try")
{
    pa::asio_loop loop;
    watched_pair pair(loop);
    pair.fill();
    pair.here->write_blocked();
    pair.here->read_blocked();
    pair.end_other();
    pa::sync_wait(loop, until_readable(pair));
    pa::sync_wait(loop, until_writable(pair));
}

TEST_CASE("a descriptor is told nothing of the one before it that had the same number")
{
    pa::asio_loop loop;
    watched_pair before(loop);
    CHECK(before.read(10) < 0);
    before.here->read_blocked();
    before.write();
    const int number = before.ends[0];
    before.close_here();
    watched_pair after(loop);
    REQUIRE(after.ends[0] == number);
    CHECK(after.read(10) < 0);
    after.here->read_blocked();
    auto waits = until_readable(after);
    waits.start(loop);
    pa::sync_wait(loop, pa::sleep_for(2ms));
    CHECK(!waits.finished());
    after.write();
    while (!waits.finished()) REQUIRE(loop.run_one());
}

TEST_CASE("whoever has left a ready set is told nothing, though a copy of the descriptor lives")
{
    pa::asio_loop loop;
    watched_pair pair(loop), fresh(loop);
    const int copy = ::dup(pair.ends[0]);
    pair.close_here();
    fresh.here.reset();
    pair.here.emplace(pa::ready_set::of(loop), fresh.ends[0]);  // where the other one was
    pair.here->read_blocked();
    {
        auto waits = until_readable(pair);
        waits.start(loop);
        pair.write();
        pa::sync_wait(loop, pa::sleep_for(2ms));
        CHECK(!waits.finished());
    }
    pair.here.reset();
    ::close(copy);
}

TEST_CASE("each loop has a ready set of its own")
{
    pa::asio_loop here, there;
    CHECK(&pa::ready_set::of(here) == &pa::ready_set::of(here));
    CHECK(&pa::ready_set::of(here) != &pa::ready_set::of(there));
}

TEST_CASE("a loop whose ready set is empty notices a deadlock")
{
    pa::asio_loop loop;
    {
        watched_pair pair(loop);
        CHECK(pair.read(10) < 0);
        pair.here->read_blocked();
        auto waits = until_readable(pair);
        waits.start(loop);
        pa::sync_wait(loop, write_later(pair, loop.now() + 2ms));  // the loop has slept
    }
    pa::gate never;
    pa::task<> waits = [](pa::gate& g) -> pa::task<> { co_await g.opened(); }(never);
    CHECK_THROWS_AS(pa::sync_wait(loop, std::move(waits)), std::system_error);
}
