#include <papilio/transport/detail/acceptor.hpp>

#include <papilio/async/gate.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/sim/world.hpp>

#include <support/collected_log.hpp>
#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <new>
#include <stdexcept>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

/// A connection: where it comes from and what becomes of it.
struct visitor {
    pa::network_address from;
    bool honest = false;
};

struct script {
    std::deque<visitor> queue;
    int failures = 0;  // of `accept`, before each connection
    int broken = 0;    // times that `accept` throws
    bool spare = false;
    int tried = 0;   // calls of `accept`
    int failed = 0;  // since the last connection
    int refused = 0;
    pa::gate filled;

    void arrive(std::initializer_list<visitor> all)
    {
        queue.insert(queue.end(), all);
        filled.open();
    }
};

struct fake_listener {
    using connection = visitor;

    pa::task<> readable()
    {
        if (what->queue.empty()) what->filled.close();
        co_await what->filled.opened();
    }
    visitor accept(std::error_code& error)
    {
        ++what->tried;
        if (what->broken > 0 && what->broken--) throw std::bad_alloc();
        if (what->queue.empty())
            error = std::make_error_code(std::errc::resource_unavailable_try_again);
        else if (what->failed++ < what->failures)
            error = std::make_error_code(std::errc::too_many_files_open);
        if (error) return {};
        what->failed = 0;
        return next();
    }
    static bool would_block(std::error_code error)
    {
        return error == std::errc::resource_unavailable_try_again;
    }
    bool refuse()
    {
        if (!what->spare) return false;
        next();
        what->failed = 0;
        ++what->refused;
        return true;
    }
    static pa::network_address address(const visitor& v) { return v.from; }

    visitor next()
    {
        const visitor v = what->queue.front();
        what->queue.pop_front();
        return v;
    }

    script* what;
};

using acceptor = pa::detail::acceptor<fake_listener>;

/// Counts those that are there.
/// The handshakes of a mesh whose honest peers are 300 ms away.
struct handshakes {
    int present = 0;
    int most = 0;
    int let_in = 0;

    pa::task<> greet(visitor v, pa::detail::newcomer self)
    {
        const pa::test::witness here(present);
        most = std::max(most, present);
        if (!v.honest) {
            co_await pa::sleep_for(5s);
            co_return;
        }
        co_await pa::sleep_for(1ms);  // its hello was on the way already
        self.spoke();
        co_await pa::sleep_for(300ms);
        ++let_in;
    }
    acceptor::handshake function()
    {
        return [this](visitor v, pa::detail::newcomer self) { return greet(v, self); };
    }
};

pa::network_address host(std::size_t i)
{
    const auto byte = [](std::size_t x) { return static_cast<std::uint8_t>(x); };
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, byte(i >> 8), byte(i), 1}};
}

pa::task<> count(visitor, pa::detail::newcomer, int& seen)
{
    ++seen;
    co_return;
}

}  // namespace

TEST_CASE("an acceptor that runs out of files says so once, until it accepts again")
{
    const pa::test::collected_log log;
    pa::sim::world world;
    script what;
    what.failures = 10;
    what.arrive({{}, {}});
    int seen = 0;
    const acceptor one(world, fake_listener{&what},
                       [&](visitor v, pa::detail::newcomer n) { return count(v, n, seen); });
    pa::sync_wait(world, pa::sleep_for(10s));
    CHECK(seen == 2);
    CHECK(log.count("warning: accept failed why=\"Too many open files\"") == 2);
}

TEST_CASE("an acceptor that runs out of files refuses who comes, and goes on when there are some")
{
    const pa::test::collected_log log;
    pa::sim::world world;
    script what;
    what.failures = 1'000'000;
    what.spare = true;
    what.arrive({{}, {}, {}});
    int seen = 0;
    const acceptor one(world, fake_listener{&what},
                       [&](visitor v, pa::detail::newcomer n) { return count(v, n, seen); });
    pa::sync_wait(world, pa::sleep_for(1s));
    CHECK(what.refused == 3);
    CHECK(log.count("accept failed") == 1);
    what.failures = 0;
    what.arrive({{}});
    pa::sync_wait(world, pa::sleep_for(1s));
    CHECK(seen == 1);
}

TEST_CASE("an acceptor without even a spare file tries again ten times a second")
{
    pa::sim::world world;
    script what;
    what.failures = 1'000'000;
    what.arrive({{}});
    const acceptor one(world, fake_listener{&what},
                       [](visitor, pa::detail::newcomer) -> pa::task<> { co_return; });
    pa::sync_wait(world, pa::sleep_for(10s));
    CHECK(what.tried > 50);
    CHECK(what.tried <= 101);
}

TEST_CASE("what fails as a connection is taken in does not stop an acceptor")
{
    const pa::test::collected_log log;
    pa::sim::world world;
    script what;
    what.broken = 2;
    what.arrive({{}, {}, {}});
    int begun = 0, seen = 0;
    const acceptor one(world, fake_listener{&what}, [&](visitor v, pa::detail::newcomer n) {
        if (++begun == 2) throw std::runtime_error("no handshake for this one");
        return count(v, n, seen);
    });
    pa::sync_wait(world, pa::sleep_for(10s));
    CHECK(begun == 3);
    CHECK(seen == 2);
    CHECK(log.has("warning: accept failed why=\"no handshake for this one\""));
}

TEST_CASE("of 300 silent strangers no more than the limit are heard at a time")
{
    const pa::test::collected_log log;
    pa::sim::world world;
    script what;
    handshakes door;
    const acceptor one(world, fake_listener{&what}, door.function(), {.in_all = 100});
    for (std::size_t i = 0; i < 300; ++i) what.arrive({{host(i)}});
    pa::sync_wait(world, pa::sleep_for(1s));
    CHECK(door.most <= 101);  // the last one may begin before the first one ends
    CHECK(door.present == 100);
    CHECK(log.count("warning: newcomers dropped count=1 ") == 1);
    what.arrive({{host(1000), true}});
    pa::sync_wait(world, pa::sleep_for(1s));
    CHECK(door.let_in == 1);
}

TEST_CASE("150 honest members 300 ms away that join at once all get in, through a flood of others")
{
    pa::sim::world world;
    script what;
    handshakes door;
    const acceptor one(world, fake_listener{&what}, door.function());
    SECTION("from as many networks")
    {
        for (std::size_t i = 0; i < 150; ++i) what.arrive({{host(i), true}});
    }
    SECTION("from one address")
    {
        for (std::size_t i = 0; i < 150; ++i) what.arrive({{host(1), true}});
    }
    const auto flood = [&]() -> pa::task<> {
        for (int i = 0; i < 5000; ++i) {
            what.arrive({{host(2000)}, {host(3000)}});
            co_await pa::sleep_for(100us);
        }
    };
    pa::sync_wait(world, flood());
    CHECK(door.let_in == 150);
}
