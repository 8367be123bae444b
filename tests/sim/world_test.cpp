#include <papilio/sim/world.hpp>

#include <papilio/async/sleep.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <vector>

namespace pa = papilio;
namespace sim = papilio::sim;
using namespace std::chrono_literals;

namespace {

static_assert(pa::transport<sim::transport>);
static_assert(pa::detail::numbers_calls<sim::transport>);
static_assert(pa::detail::discards_calls<sim::transport>);
static_assert(pa::detail::reports_last_heard<sim::transport>);

pa::task<> send(sim::transport& net, int peer, std::size_t size, pa::tag t = pa::tag{1})
{
    const std::vector<std::byte> message(size);
    co_await net.send(peer, t, message);
}

pa::task<> recv(sim::transport& net, int peer, std::size_t size, pa::tag t = pa::tag{1})
{
    std::vector<std::byte> into(size);
    co_await net.recv(peer, t, into);
}

pa::task<std::error_code> outcome(pa::task<> work)
{
    std::error_code why;
    try {
        co_await work;
    } catch (const std::system_error& e) {
        why = e.code();
    }
    co_return why;
}

/// How long `program` takes as every peer.
template <class Program>
pa::duration time_of(const sim::weather& w, Program program)
{
    sim::world world(w);
    world.run(program);
    return world.now().time_since_epoch();
}

pa::task<> one_way(sim::transport& net, std::size_t size)
{
    if (net.rank() == 0) {
        co_await send(net, 1, size);
    } else {
        co_await recv(net, 0, size);
    }
}

/// Everybody sends everybody `count` messages at once.
pa::task<> gossip(sim::transport& net, std::size_t size, std::uint64_t count)
{
    std::vector<pa::task<>> all;
    for (int peer = 0; peer < net.size(); ++peer) {
        if (peer == net.rank()) continue;
        for (std::uint64_t i = 0; i < count; ++i) {
            all.push_back(send(net, peer, size, pa::tag{i}));
            all.push_back(recv(net, peer, size, pa::tag{i}));
        }
    }
    co_await pa::when_all(std::move(all));
}

std::uint64_t trace_of(std::uint64_t seed, pa::duration jitter)
{
    sim::world world({.seed = seed, .peers = 4, .jitter = jitter});
    world.run([](sim::transport& net) { return gossip(net, 1000, 3); });
    return world.trace();
}

constexpr sim::access megabyte{.up_bytes_per_second = 1e6, .down_bytes_per_second = 1e6};

}  // namespace

TEST_CASE("a program that stood still finds all that was due, in order", "[sim]")
{
    pa::sim::world world;
    std::vector<int> woken;
    const auto sleeper = [&](pa::duration d, int who) -> pa::task<> {
        co_await pa::sleep_for(d);
        woken.push_back(who);
    };
    auto late = sleeper(20s, 2), early = sleeper(10s, 1);
    late.start(world);
    early.start(world);
    world.stand_still(1h);
    CHECK(woken.empty());
    pa::sync_wait(world, pa::sleep_for(1s));
    CHECK(woken == std::vector<int>{1, 2});
    CHECK(world.now() == pa::time_point(1h + 1s));
}

TEST_CASE("a message takes the latency and the time of the narrower access")
{
    const auto send_a_megabyte = [](sim::transport& net) { return one_way(net, 1'000'000); };
    const auto send_nothing = [](sim::transport& net) { return one_way(net, 0); };
    const sim::weather even{.latency = 30ms, .all = megabyte};
    CHECK(time_of(even, send_nothing) == 30ms);
    CHECK(time_of(even, send_a_megabyte) == 1030ms);

    const std::array<sim::access, 2> slow_up{{{1e6, 1e6}, {1e6, 5e6}}};
    const std::array<sim::access, 2> slow_down{{{4e6, 1e6}, {1e6, 1e6}}};
    CHECK(time_of({.latency = 30ms, .each = slow_up}, send_a_megabyte) == 1030ms);
    CHECK(time_of({.latency = 30ms, .each = slow_down}, send_a_megabyte) == 1030ms);
    const std::array<sim::access, 2> fast{{{10e6, 1e6}, {1e6, 20e6}}};
    CHECK(time_of({.latency = 30ms, .each = fast}, send_a_megabyte) == 130ms);
}

TEST_CASE("a send is done when its last byte has left the uplink")
{
    sim::world world({.latency = 1h, .all = megabyte});
    pa::sync_wait(world, send(world.peer(0), 1, 500'000));
    CHECK(world.now() == pa::time_point(500ms));
    pa::sync_wait(world, send(world.peer(0), 1, 0));
    CHECK(world.now() == pa::time_point(500ms));
}

TEST_CASE("messages share an uplink one after the other, and downlinks likewise")
{
    const sim::weather w{.peers = 4, .latency = 10ms, .all = megabyte};
    CHECK(time_of(w, [](sim::transport& net) -> pa::task<> {
              std::vector<pa::task<>> all;
              for (int peer = 1; peer < 4; ++peer) {
                  if (net.rank() == 0) all.push_back(send(net, peer, 100'000));
                  if (net.rank() == peer) all.push_back(recv(net, 0, 100'000));
              }
              co_await pa::when_all(std::move(all));
          }) == 310ms);
    CHECK(time_of(w, [](sim::transport& net) -> pa::task<> {
              std::vector<pa::task<>> all;
              for (int peer = 1; peer < 4; ++peer) {
                  if (net.rank() == peer) all.push_back(send(net, 0, 100'000));
                  if (net.rank() == 0) all.push_back(recv(net, peer, 100'000));
              }
              co_await pa::when_all(std::move(all));
          }) == 310ms);
}

TEST_CASE("up and down do not share: an exchange of all with all takes the time of one direction")
{
    const sim::weather w{.peers = 5, .latency = 10ms, .all = megabyte};
    const auto exchange = [](sim::transport& net) { return gossip(net, 100'000, 1); };
    const auto taken = time_of(w, exchange);
    // All begin with peer 0, whose downlink then is the narrow one: never less than 4 messages,
    // and never as much as both directions in turn.
    CHECK(taken >= 410ms);
    CHECK(taken < 810ms);
}

TEST_CASE("a ping and its answer take a round trip")
{
    const sim::weather w{.latency = 25ms, .all = megabyte};
    CHECK(time_of(w, [](sim::transport& net) -> pa::task<> {
              if (net.rank() == 0) {
                  co_await send(net, 1, 0);
                  co_await recv(net, 1, 0);
              } else {
                  co_await recv(net, 0, 0);
                  co_await send(net, 0, 0);
              }
          }) == 50ms);
}

TEST_CASE("a chunked stream is as fast as one message, even where the narrower side changes")
{
    const std::array<sim::access, 2> each{{{2e6, 1e6}, {1e6, 1e6}}};
    const auto chunked = [](sim::transport& net) -> pa::task<> {
        for (int chunk = 0; chunk < 10; ++chunk) {
            if (net.rank() == 0) {
                co_await send(net, 1, 100'000);
            } else {
                co_await recv(net, 0, 100'000);
            }
        }
    };
    CHECK(time_of({.latency = 10ms, .each = each}, chunked) == 1010ms);
}

TEST_CASE("jitter keeps the order under one tag, whatever the links and sizes")
{
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        pa::random random(seed);
        const auto rate = [&] { return 1e4 * static_cast<double>(1 + random.below(1000)); };
        const std::array<sim::access, 3> each{
            {{rate(), rate()}, {rate(), rate()}, {rate(), rate()}}};
        std::vector<std::size_t> sizes(20);
        for (auto& s : sizes) s = random.below(2) ? random.below(20'000) : random.below(10);
        sim::world world({.seed = seed,
                          .peers = 3,
                          .latency = 5ms,
                          .jitter = pa::duration(1 + random.below(200'000'000)),
                          .each = each});
        std::vector<std::size_t> got;
        const auto program = [&](sim::transport& net) -> pa::task<> {
            if (net.rank() == 0) {
                for (const auto size : sizes) {
                    co_await send(net, 1, size);
                }
            } else if (net.rank() == 2) {  // in the way
                for (const auto size : sizes) {
                    co_await send(net, 1, size, pa::tag{2});
                }
            } else {
                std::vector<std::byte> into(20'000);
                for (std::size_t i = 0; i < sizes.size(); ++i) {
                    const auto n = co_await net.recv(0, pa::tag{1}, into);
                    got.push_back(n);
                }
            }
        };
        world.run(program);
        INFO("seed " << seed);
        CHECK(got == sizes);
    }
}

TEST_CASE("jitter lets messages under different tags overtake each other")
{
    sim::world world({.seed = 3, .latency = 1ms, .jitter = 50ms});
    std::vector<int> order;
    world.run([&](sim::transport& net) -> pa::task<> {
        std::vector<pa::task<>> all;
        const auto note = [&](int i) -> pa::task<> {
            co_await recv(net, 0, 10, pa::tag{static_cast<std::uint64_t>(i)});
            order.push_back(i);
        };
        for (int i = 0; i < 20; ++i) {
            if (net.rank() == 0)
                all.push_back(send(net, 1, 10, pa::tag{static_cast<std::uint64_t>(i)}));
            else
                all.push_back(note(i));
        }
        co_await pa::when_all(std::move(all));
    });
    CHECK(order.size() == 20);
    CHECK(!std::ranges::is_sorted(order));
    CHECK(world.now() >= pa::time_point(1ms));
    CHECK(world.now() <= pa::time_point(52ms));
}

TEST_CASE("the same seed gives the same run, another seed another one")
{
    CHECK(trace_of(1, 20ms) == trace_of(1, 20ms));
    std::set<std::uint64_t> traces;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) traces.insert(trace_of(seed, 20ms));
    CHECK(traces.size() == 50);
    CHECK(trace_of(1, 0ms) == trace_of(2, 0ms));  // chance has no part in calm weather
}

TEST_CASE("the trace tells apart what happened: sizes, tags, times and peers")
{
    const auto trace = [](pa::duration latency, int from, int to, pa::tag t, std::size_t size) {
        sim::world world({.peers = 3, .latency = latency});
        auto both = [&](sim::transport& net) -> pa::task<> {
            if (net.rank() == from) {
                co_await send(net, to, size, t);
            }
            if (net.rank() == to) {
                co_await recv(net, from, size, t);
            }
        };
        world.run(both);
        return world.trace();
    };
    const std::set<std::uint64_t> traces = {
        trace(1ms, 0, 1, pa::tag{1}, 10), trace(2ms, 0, 1, pa::tag{1}, 10),
        trace(1ms, 0, 2, pa::tag{1}, 10), trace(1ms, 1, 0, pa::tag{1}, 10),
        trace(1ms, 0, 1, pa::tag{2}, 10), trace(1ms, 0, 1, pa::tag{1}, 11)};
    CHECK(traces.size() == 6);
}

TEST_CASE("each message is recorded, and whether it arrived")
{
    sim::world world({.peers = 3, .latency = 10ms});
    std::vector<sim::carried_message> carried;
    world.record(carried);
    world.run([&](sim::transport& net) -> pa::task<> {
        if (net.rank() != 0) co_return;
        world.cut(0, 2);
        co_await send(net, 1, 100, pa::tag{1});
        co_await send(net, 2, 200, pa::tag{2});
        co_await pa::sleep_for(20ms);
        CHECK_FALSE(carried.at(1).arrived);  // it waits
        world.heal(0, 2);
        CHECK(carried.at(1).arrived);
        co_await send(net, 1, 300, pa::tag{3});
        world.drop(0, 1);
        co_await pa::sleep_for(20ms);
    });
    REQUIRE(carried.size() >= 4);
    CHECK(carried[0].to == 1);
    CHECK(carried[0].what == pa::tag{1});
    CHECK(carried[0].size == 100);
    CHECK(carried[0].arrived);
    CHECK(carried[0].sent == pa::time_point{});
    CHECK(carried[0].arrives > carried[0].sent + 10ms);
    CHECK(carried[1].arrives > carried[1].sent + 20ms);
    const auto last = std::ranges::find(carried, pa::tag{3}, &sim::carried_message::what);
    REQUIRE(last != carried.end());
    CHECK_FALSE(last->arrived);  // lost with the link
    CHECK(std::ranges::count(carried, true, &sim::carried_message::ends_link) > 0);
}

TEST_CASE("what a peer sent before it was killed still arrives, then its links close")
{
    const auto jitter = GENERATE(0ms, 30ms);
    const std::array<sim::access, 2> each{{{1e6, 1e6}, {1e6, 10e6}}};
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        sim::world world({.seed = seed, .latency = 10ms, .jitter = jitter, .each = each});
        int received = 0;
        std::error_code end;
        world.run([&](sim::transport& net) -> pa::task<> {
            if (net.rank() == 0) {
                for (std::uint64_t i = 0; i < 5; ++i) {
                    co_await send(net, 1, 10'000 * (5 - i), pa::tag{i});
                }
                world.kill(0);
                end = co_await outcome(send(net, 1, 10));
                CHECK(end == pa::errc::disconnected);
                end = co_await outcome(recv(net, 1, 10));
                CHECK(end == pa::errc::disconnected);
            } else {
                end = co_await outcome(recv(net, 0, 10, pa::tag{99}));
                CHECK(end == pa::errc::disconnected);
                for (std::uint64_t i = 0; i < 5; ++i) {
                    co_await recv(net, 0, 50'000, pa::tag{i});
                    ++received;
                }
            }
        });
        CHECK(received == 5);
    }
}

TEST_CASE("a silent peer is heard no more and hears nothing, and no link closes")
{
    sim::world world({.peers = 3, .latency = 10ms});
    world.run([&](sim::transport& net) -> pa::task<> {
        if (net.rank() == 2) {
            co_await send(net, 0, 10);  // arrives
            co_await pa::sleep_for(15ms);
            co_await send(net, 1, 10);  // under way when its sender falls silent
            world.silence(2);
            co_await send(net, 0, 10);
            co_return;
        }
        if (net.rank() == 0) {
            co_await recv(net, 2, 10);
            co_await pa::sleep_for(100ms);
            co_await send(net, 2, 10);
        }
        pa::task<> never = recv(net, 2, 10);
        never.start(world);
        co_await pa::sleep_for(10s);
        CHECK(!never.finished());
        co_await send(net, 1 - net.rank(), 10);  // the others still talk
        co_await recv(net, 1 - net.rank(), 10);
    });
    pa::task<> unheard = recv(world.peer(2), 0, 10);
    unheard.start(world);
    while (world.run_one()) {
    }
    CHECK(!unheard.finished());
    CHECK(world.peer(0).last_heard(2) < pa::time_point(15ms));
}

TEST_CASE("a cut goes one way")
{
    sim::world world({.latency = 10ms});
    world.cut(0, 1);
    world.run([&](sim::transport& net) -> pa::task<> {
        co_await send(net, 1 - net.rank(), 10);
        if (net.rank() == 0) {
            co_await recv(net, 1, 10);
            co_return;
        }
        pa::task<> never = recv(net, 0, 10);
        never.start(world);
        co_await pa::sleep_for(10s);
        CHECK(!never.finished());
    });
}

TEST_CASE("a peer's access may become another")
{
    sim::world w({.peers = 2, .latency = 0ms, .all = {1e6, 1e6}});
    const std::vector<std::byte> message(1'000'000);
    std::vector<pa::time_point> came;
    w.run([&](pa::sim::transport& net) -> pa::task<> {
        std::vector<std::byte> into(message.size());
        for (std::uint32_t i = 0; i < 3; ++i) {
            const auto t = pa::make_tag({.index = i});
            if (net.rank() == 0) {
                co_await net.send(1, t, message);
            } else {
                co_await net.recv(0, t, into);
                came.push_back(w.now());
                if (i == 0) w.reshape(1, {1e6, 0.5e6});
            }
        }
    });
    CHECK(came ==
          std::vector<pa::time_point>{pa::time_point(1s), pa::time_point(3s), pa::time_point(5s)});
    CHECK_THROWS_AS(w.reshape(0, {0, 1}), std::system_error);
}

TEST_CASE("a deadlock is detected, not timed out")
{
    sim::world world({.peers = 3});
    const auto wait_in_a_ring = [](sim::transport& net) {
        return recv(net, (net.rank() + 1) % 3, 10);
    };
    try {
        world.run(wait_in_a_ring);
        FAIL("nobody sends");
    } catch (const std::system_error& e) {
        CHECK(e.code() == pa::errc::stalled);
    }
    CHECK(world.now() == pa::time_point{});
}

TEST_CASE("the first failure of a peer ends the run")
{
    sim::world world;
    const auto program = [](sim::transport& net) -> pa::task<> {
        co_await pa::sleep_for(1s * (1 + net.rank()));
        throw std::runtime_error(net.rank() == 0 ? "first" : "second");
    };
    CHECK_THROWS_WITH(world.run(program), "first");
    CHECK(world.now() == pa::time_point(1s));
}

TEST_CASE("a peer knows when it last heard each other")
{
    sim::world world({.peers = 3, .latency = 10ms, .all = megabyte});
    world.run([&](sim::transport& net) -> pa::task<> {
        if (net.rank() == 1) {
            co_await send(net, 0, 100'000);
        } else if (net.rank() == 0) {
            co_await recv(net, 1, 100'000);
            CHECK(net.last_heard(1) == pa::time_point(110ms));
            CHECK(net.last_heard(2) == pa::time_point{});
        }
    });
}

TEST_CASE("a world that cannot be is refused")
{
    const auto refused = [](sim::weather w, const char* why) {
        CHECK_THROWS_WITH(sim::world(w), Catch::Contains(why));
    };
    refused({.peers = 0}, "weather::peers is at least 1: it is 0");
    refused({.latency = -1ms}, "weather::latency is at least 0: it is -1000000 ns");
    refused({.jitter = -1ms}, "weather::jitter is at least 0: it is -1000000 ns");
    refused({.all = {.up_bytes_per_second = 0}},
            "the access of peer 0: up_bytes_per_second is above 0: it is 0");
    refused({.all = {.down_bytes_per_second = -1}}, "down_bytes_per_second is above 0: it is -1");
    const std::array<sim::access, 3> too_many{};
    refused({.peers = 2, .each = too_many}, "weather::each has 3 entries for a group of 2");
    sim::world w;
    CHECK_THROWS_WITH(w.reshape(1, {1e6, 0}), Catch::Contains("the access of peer 1"));
}

namespace {

constexpr sim::access at_once{.up_bytes_per_second = 1e15, .down_bytes_per_second = 1e15};

/// A receive on a peer's own loop, and what has become of it.
struct awaited {
    awaited(sim::world& w, int at, int from, pa::tag t = pa::tag{1})
        : work(note(w.peer(at), from, t))
    {
        work.start(w.process(at));
    }

    pa::task<> note(sim::transport& net, int from, pa::tag t)
    {
        std::vector<std::byte> into(1000);
        try {
            size = co_await net.recv(from, t, into);
        } catch (const std::system_error& e) {
            why = e.code();
        }
        pa::loop& on = co_await pa::this_loop{};
        when = on.now();
    }

    std::size_t size = 0;
    std::error_code why;
    pa::time_point when{};
    pa::task<> work;
};

void run_until_quiet(sim::world& w)
{
    while (w.run_one()) {
    }
}

}  // namespace

TEST_CASE("a process that is stopped does nothing, and finds all that came when it goes on")
{
    sim::world w({.peers = 2, .latency = 10ms, .all = at_once});
    std::vector<pa::time_point> woken;
    const auto sleeper = [&](pa::duration d) -> pa::task<> {
        co_await pa::sleep_for(d);
        pa::loop& on = co_await pa::this_loop{};
        woken.push_back(on.now());
    };
    auto early = sleeper(10ms), late = sleeper(200ms);
    early.start(w.process(1));
    late.start(w.process(1));
    awaited got(w, 1, 0);
    w.stop(1);
    pa::sync_wait(w, send(w.peer(0), 1, 7));
    pa::sync_wait(w, pa::sleep_for(50ms));
    CHECK(woken.empty());
    CHECK_FALSE(got.work.finished());
    CHECK(w.peer(1).last_heard(0) == pa::time_point{});
    w.go_on(1);
    run_until_quiet(w);
    CHECK(woken == std::vector{pa::time_point(50ms), pa::time_point(200ms)});
    CHECK(got.size == 7);
    CHECK(got.when == pa::time_point(50ms));
}

TEST_CASE("the others do not notice that a process is stopped, but for its silence")
{
    sim::world w({.peers = 3, .latency = 10ms, .all = at_once});
    w.stop(1);
    pa::sync_wait(w, send(w.peer(0), 1, 7));
    awaited from_the_stopped(w, 0, 1), from_another(w, 0, 2);
    pa::sync_wait(w, send(w.peer(2), 0, 9));
    run_until_quiet(w);
    CHECK_FALSE(from_the_stopped.work.finished());
    CHECK(from_another.size == 9);
}

TEST_CASE("a killed process is followed by one that knows nothing, to which the links come back")
{
    sim::world w({.peers = 2, .latency = 10ms, .all = at_once});
    awaited lost(w, 0, 1);
    pa::sync_wait(w, send(w.peer(0), 1, 5, pa::tag{3}));  // for the process of before
    w.kill(1);
    auto& before = w.peer(1);
    CHECK(w.is_dead(1));
    w.restart(1);
    CHECK_FALSE(w.is_dead(1));
    CHECK(&w.peer(1) != &before);
    run_until_quiet(w);
    CHECK(lost.why == pa::errc::disconnected);

    awaited early(w, 1, 0, pa::tag{3}), again(w, 1, 0), back(w, 0, 1);
    pa::sync_wait(w, send(w.peer(0), 1, 6));
    pa::sync_wait(w, send(w.peer(1), 0, 8));
    CHECK(pa::sync_wait(w, outcome(send(before, 0, 9))) == pa::errc::disconnected);
    run_until_quiet(w);
    CHECK_FALSE(early.work.finished());
    CHECK(again.size == 6);
    CHECK(back.size == 8);
}

TEST_CASE("a clogged pair waits longer, keeps the order under each tag, and others do not wait")
{
    sim::world w({.peers = 3, .latency = 10ms, .all = at_once});
    w.clog(0, 1, 90ms);
    awaited slow(w, 1, 0), other(w, 2, 0), back(w, 0, 1);
    pa::sync_wait(w, send(w.peer(0), 1, 1));
    pa::sync_wait(w, send(w.peer(0), 2, 2));
    pa::sync_wait(w, send(w.peer(1), 0, 3));
    w.clog(0, 1, {});
    pa::sync_wait(w, send(w.peer(0), 1, 4));
    pa::sync_wait(w, send(w.peer(0), 1, 5, pa::tag{2}));
    awaited second(w, 1, 0), apart(w, 1, 0, pa::tag{2});
    run_until_quiet(w);
    CHECK(slow.size == 1);
    CHECK(slow.when == pa::time_point(100ms));
    CHECK(second.size == 4);
    CHECK(second.when == pa::time_point(100ms));
    CHECK(apart.when == pa::time_point(10ms));
    CHECK(other.when == pa::time_point(10ms));
    CHECK(back.when == pa::time_point(10ms));
}

TEST_CASE("messages of one pair may overtake each other for a while")
{
    sim::world w({.peers = 2, .latency = 1ms});
    const auto out_of_order = [&] {
        std::vector<std::unique_ptr<awaited>> all;
        for (std::uint64_t i = 0; i < 20; ++i) {
            all.push_back(std::make_unique<awaited>(w, 1, 0, pa::tag{i}));
            pa::sync_wait(w, send(w.peer(0), 1, 1, pa::tag{i}));
        }
        run_until_quiet(w);
        return !std::ranges::is_sorted(all, {}, [](const auto& a) { return a->when; });
    };
    CHECK_FALSE(out_of_order());
    w.clog(0, 1, {}, 50ms);
    CHECK(out_of_order());
    w.clog(0, 1, {});
    CHECK_FALSE(out_of_order());
}

TEST_CASE("the end of a link overtakes nothing, though its messages overtake each other")
{
    sim::world w({.peers = 2, .latency = 1ms});
    w.clog(0, 1, {}, 50ms);
    std::vector<std::unique_ptr<awaited>> all;
    for (std::uint64_t i = 0; i < 20; ++i) {
        all.push_back(std::make_unique<awaited>(w, 1, 0, pa::tag{i}));
        pa::sync_wait(w, send(w.peer(0), 1, 1, pa::tag{i}));
    }
    w.kill(0);
    run_until_quiet(w);
    for (const auto& a : all) CHECK(a->size == 1);
}

TEST_CASE("after a cut has healed, what was sent meanwhile arrives in its order")
{
    sim::world w({.peers = 2, .latency = 10ms, .all = at_once});
    w.cut(0, 1);
    awaited first(w, 1, 0), second(w, 1, 0), third(w, 1, 0);
    for (const std::size_t size : {1u, 2u}) pa::sync_wait(w, send(w.peer(0), 1, size));
    pa::sync_wait(w, pa::sleep_for(100ms));
    CHECK_FALSE(first.work.finished());
    pa::sync_wait(w, send(w.peer(0), 1, 3));
    w.heal(0, 1);
    run_until_quiet(w);
    CHECK(first.size == 1);
    CHECK(second.size == 2);
    CHECK(second.when == pa::time_point(100ms));
    CHECK(third.size == 3);
    CHECK(third.when == pa::time_point(110ms));
}

TEST_CASE("the death of a peer that is cut off is heard once the cut has healed")
{
    sim::world w({.peers = 2, .latency = 10ms, .all = at_once});
    w.cut(0, 1);
    awaited end(w, 1, 0);
    w.kill(0);
    pa::sync_wait(w, pa::sleep_for(100ms));
    CHECK_FALSE(end.work.finished());
    w.heal(0, 1);
    run_until_quiet(w);
    CHECK(end.why == pa::errc::disconnected);
}

TEST_CASE("a dropped link loses what is on the way, and comes back between the same processes")
{
    sim::world w({.peers = 3, .latency = 10ms, .all = at_once});
    awaited under_way(w, 1, 0), here(w, 0, 1), other(w, 2, 1);
    pa::sync_wait(w, send(w.peer(0), 1, 1));
    w.drop(0, 1);
    run_until_quiet(w);
    CHECK(here.why == pa::errc::disconnected);
    CHECK(here.when == pa::time_point{});
    CHECK(under_way.why == pa::errc::disconnected);
    CHECK(under_way.when == pa::time_point(10ms));
    CHECK(pa::sync_wait(w, outcome(send(w.peer(0), 1, 2))) == pa::errc::disconnected);
    pa::sync_wait(w, send(w.peer(1), 2, 3));

    w.connect(0, 1);
    awaited there(w, 1, 0), back(w, 0, 1);
    pa::sync_wait(w, send(w.peer(0), 1, 4));
    pa::sync_wait(w, send(w.peer(1), 0, 5));
    run_until_quiet(w);
    CHECK(there.size == 4);
    CHECK(back.size == 5);
    CHECK(other.size == 3);
}

TEST_CASE("posts wait for a dropped link, and those to the dead do not")
{
    sim::world w({.peers = 3, .latency = 10ms, .all = at_once});
    const std::vector<std::byte> message(6);
    w.kill(2);
    w.drop(0, 1);
    pa::sync_wait(w, pa::sleep_for(20ms));
    CHECK(w.peer(0).post(1, pa::tag{1}, message));
    CHECK_FALSE(w.peer(0).post(2, pa::tag{1}, message));
    awaited too_early(w, 1, 0);
    run_until_quiet(w);
    CHECK(too_early.why == pa::errc::disconnected);
    w.connect(0, 1);
    awaited got(w, 1, 0);
    run_until_quiet(w);
    CHECK(got.size == 6);
}

TEST_CASE("a link may come back before the other side has heard of its end")
{
    sim::world w({.peers = 2, .latency = 10ms, .all = at_once});
    awaited before(w, 1, 0);
    w.drop(0, 1);
    w.connect(0, 1);
    CHECK_FALSE(before.work.finished());
    awaited after(w, 1, 0);
    pa::sync_wait(w, send(w.peer(0), 1, 4));
    run_until_quiet(w);
    CHECK(before.why == pa::errc::disconnected);
    CHECK(after.size == 4);
}

TEST_CASE("heartbeats tell that a peer lives, until something befalls it")
{
    sim::world w({.peers = 3, .latency = 10ms, .all = at_once, .heartbeat = 1s});
    pa::sync_wait(w, pa::sleep_for(3500ms));
    CHECK(w.peer(0).last_heard(1) == pa::time_point(3s));
    w.stop(1);
    w.cut(2, 0);
    pa::sync_wait(w, pa::sleep_for(2s));
    CHECK(w.peer(0).last_heard(1) == pa::time_point(3s));
    CHECK(w.peer(0).last_heard(2) == pa::time_point(3s));
    CHECK(w.peer(2).last_heard(0) == pa::time_point(5s));
    w.go_on(1);
    w.heal(2, 0);
    CHECK(w.peer(0).last_heard(1) == pa::time_point(5s));
    w.kill(1);
    pa::sync_wait(w, pa::sleep_for(2s));
    CHECK(w.peer(0).last_heard(1) == pa::time_point(5s + 510ms));  // the end of its link
    CHECK(w.peer(0).last_heard(2) == pa::time_point(7s));
}
