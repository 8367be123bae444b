#include <papilio/sim/play.hpp>

#include <catch2/catch.hpp>

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pa = papilio;
namespace sim = papilio::sim;
using namespace std::chrono_literals;

namespace {

/// Everybody sends everybody a byte every 10 ms for a second, and notes when others' bytes come.
struct chatter {
    explicit chatter(const std::string& faults, sim::weather w = {.peers = 3, .latency = 1ms})
        : world(w)
    {
        for (int at = 0; at < world.size(); ++at) {
            talking.push_back(talk(world.peer(at)));
            for (int from = 0; from < world.size(); ++from)
                if (from != at) talking.push_back(listen(world.peer(at), from));
        }
        std::size_t i = 0;
        for (int at = 0; at < world.size(); ++at)
            for (int k = 0; k < world.size(); ++k) talking[i++].start(world.process(at));
        const sim::fault_events tell{[this](int rank) { died.push_back(rank); },
                                     [this](const sim::fault&, bool) { ++events; }};
        pa::sync_wait(world, sim::play(world, sim::parse_schedule(faults, world.size()), tell));
        while (world.run_one()) {
        }
    }
    chatter(const chatter&) = delete;

    pa::task<> talk(sim::transport& net)
    {
        const std::vector<std::byte> message(1);
        for (int i = 0; i < 100; ++i) {
            for (int to = 0; to < net.size(); ++to)
                if (to != net.rank()) net.post(to, pa::tag{1}, message);
            co_await pa::sleep_for(10ms);
        }
    }

    pa::task<> listen(sim::transport& net, int from)
    {
        std::vector<std::byte> into(1);
        for (int i = 0; i < 100; ++i) {
            try {
                co_await net.recv(from, pa::tag{1}, into);
                heard[{from, net.rank()}].push_back(world.now().time_since_epoch());
            } catch (const std::system_error&) {
                ++broken;
            }
            if (broken > 0) {
                co_await pa::sleep_for(10ms);
            }
        }
    }

    /// How many bytes of `from` came to `to` between these times.
    std::size_t count(int from, int to, pa::duration after, pa::duration until)
    {
        std::size_t n = 0;
        for (const auto t : heard[{from, to}]) n += t > after && t <= until ? 1 : 0;
        return n;
    }

    sim::world world;
    std::map<std::pair<int, int>, std::vector<pa::duration>> heard;
    std::vector<int> died;
    int broken = 0;
    int events = 0;
    std::vector<pa::task<>> talking;
};

}  // namespace

TEST_CASE("without a fault everybody hears everybody")
{
    chatter c("");
    for (const auto& [pair, times] : c.heard) CHECK(times.size() == 100);
    CHECK(c.heard.size() == 6);
    CHECK(c.events == 0);
}

TEST_CASE("a crash ends a process, and its owner is told")
{
    chatter c("500ms crash 1; 600ms crash 1");
    CHECK(c.died == std::vector{1});
    CHECK(c.heard[{1, 0}].size() == 50);
    CHECK(c.heard[{2, 0}].size() == 100);
    CHECK(c.broken > 0);
}

TEST_CASE("after a restart the peer's place is taken by another process, which says nothing")
{
    chatter c("500ms restart 1 for 100ms");
    CHECK(c.died == std::vector{1});
    CHECK_FALSE(c.world.is_dead(1));
    CHECK(c.heard[{1, 0}].size() == 50);
    CHECK(c.count(0, 1, 600ms, 2s) == 0);
    CHECK(c.events == 2);
}

TEST_CASE("a stop lasts as long as it is to")
{
    chatter c("500ms stop 1 for 200ms");
    CHECK(c.count(1, 0, 510ms, 700ms) == 0);
    CHECK(c.count(1, 0, 700ms, 2s) == 50);
    CHECK(c.count(0, 1, 500ms, 699ms) == 0);
    CHECK(c.count(0, 1, 699ms, 700ms) == 20);
    CHECK(c.count(2, 0, 500ms, 700ms) == 20);
    chatter for_good("500ms stop 1");
    CHECK(for_good.count(1, 0, 510ms, 10s) == 0);
    CHECK(for_good.count(0, 1, 500ms, 10s) == 0);
}

TEST_CASE("a slow access makes everything through it slow, for a while")
{
    const auto last = [](const std::string& faults) {
        chatter c(faults);
        return c.heard[{1, 0}].back();
    };
    CHECK(last("") < 992ms);
    CHECK(last("0ms slow 1 by 20s") > 3s);  // two bytes every 10 ms, of 20 ms each
    CHECK(last("0ms slow 1 by 20s for 300ms") < 2s);
    CHECK(last("0ms slow 2 by 20s") < 992ms);
}

TEST_CASE("a clogged pair hears each other later, for a while")
{
    chatter c("500ms clog 0,1 by 100ms for 200ms");
    for (const auto& [from, to] : {std::pair(0, 1), std::pair(1, 0)}) {
        CHECK(c.count(from, to, 501ms, 600ms) == 0);
        CHECK(c.count(from, to, 600ms, 701ms) > 5);
        CHECK(c.count(from, to, 0ms, 2s) == 100);
        CHECK(c.count(from, to, 900ms, 2s) == 10);
    }
    CHECK(c.count(2, 1, 500ms, 600ms) == 10);
}

TEST_CASE("reordering delays each message by another time")
{
    chatter c("0ms reorder 0,1 by 50ms for 500ms", {.peers = 3, .latency = 1ms});
    std::vector<pa::duration> early;
    for (const auto t : c.heard[{0, 1}])
        if (t < 400ms) early.push_back(t % 10ms);
    CHECK(std::ranges::count(early, 1ms) < static_cast<std::ptrdiff_t>(early.size()));
    CHECK(c.count(0, 1, 600ms, 2s) == c.count(0, 2, 600ms, 2s));
}

TEST_CASE("a cut goes one way, a partition both, and what is cut arrives after it")
{
    chatter c("500ms cut 0,1 for 200ms");
    CHECK(c.count(0, 1, 501ms, 699ms) == 0);
    CHECK(c.count(1, 0, 501ms, 699ms) > 15);
    CHECK(c.heard[{0, 1}].size() == 100);

    chatter p("500ms partition 1 for 200ms");
    for (const int other : {0, 2}) {
        CHECK(p.count(other, 1, 501ms, 699ms) == 0);
        CHECK(p.count(1, other, 501ms, 699ms) == 0);
        CHECK(p.heard[{1, other}].size() == 100);
    }
    CHECK(p.count(0, 2, 501ms, 699ms) > 15);
    CHECK(p.died.empty());
}

TEST_CASE("a dropped link comes back, and others are not concerned")
{
    chatter c("500ms drop 0,1 for 100ms");
    CHECK(c.broken > 0);
    CHECK(c.count(0, 1, 510ms, 600ms) == 0);
    CHECK(c.count(0, 1, 600ms, 2s) > 30);
    CHECK(c.heard[{2, 1}].size() == 100);
}

TEST_CASE("a flip changes one bit of the next data of a call, and of nothing else")
{
    sim::world world({.peers = 2, .latency = 1ms});
    const auto tag_of = [](pa::message_kind kind, std::uint32_t i) {
        return pa::make_tag({.call = 1, .kind = kind, .index = i});
    };
    int ones = 0, changed = 0;
    world.run([&](sim::transport& net) -> pa::task<> {
        const std::vector<std::byte> zeros(100);
        std::vector<std::byte> into(100);
        if (net.rank() == 0) {
            const sim::schedule flips = sim::parse_schedule("1ms flip 0,1 for 2s; 1ms flip 0,1", 2);
            const sim::fault_events nobody;
            pa::task<> played = sim::play(world, flips, nobody);
            co_await std::move(played);
            net.post(1, pa::tag{1}, zeros);
            net.post(1, tag_of(pa::message_kind::vote, 0), zeros);
            for (std::uint32_t i = 0; i < 3; ++i) {
                net.post(1, tag_of(pa::message_kind::contribution, i), zeros);
                net.post(1, tag_of(pa::message_kind::result, i), zeros);
            }
            co_return;
        }
        const auto look_at = [&](std::size_t size) {
            int found = 0;
            for (std::size_t i = 0; i < size; ++i)
                found += std::popcount(std::to_integer<unsigned>(into[i]));
            ones += found;
            return found > 0;
        };
        for (const pa::tag t : {pa::tag{1}, tag_of(pa::message_kind::vote, 0)}) {
            const auto size = co_await net.recv(0, t, into);
            CHECK_FALSE(look_at(size));
        }
        for (std::uint32_t i = 0; i < 3; ++i)
            for (const auto kind : {pa::message_kind::contribution, pa::message_kind::result}) {
                const auto size = co_await net.recv(0, tag_of(kind, i), into);
                changed += look_at(size);
            }
    });
    CHECK(ones == 2);
    CHECK(changed == 2);
    CHECK(world.flipped() == 2);
}

TEST_CASE("several faults befall the same peers at a time")
{
    chatter c(
        "100ms cut 0,1 for 300ms; 200ms stop 0 for 100ms; 250ms partition 0,2; 300ms crash 2");
    CHECK(c.died == std::vector{2});
    CHECK(c.count(0, 1, 110ms, 2s) == 0);
    CHECK(c.events == 6);
}
