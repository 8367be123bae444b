#include <papilio/collective/agreement/progress_watch.hpp>

#include <papilio/base/random.hpp>

#include <collective/agreement/watched_call.hpp>

#include <support/seeds.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>
#include <set>

using namespace papilio;
using namespace std::chrono_literals;
using test::watched_call;

namespace {

/// 4 MiB among four peers, of which each can send 3 MB/s: two seconds.
watched_call::setting moderate()
{
    watched_call::setting s;
    s.weather = {.peers = 4, .latency = 200us, .all = {3e6, 3e6}};
    s.options = {.timeout = 60s, .chunk_bytes = 32 << 10};
    s.elements = std::size_t{1} << 20;
    return s;
}

watched_call::setting moderate_with_heartbeats()
{
    auto s = moderate();
    s.heartbeat = 1s;
    return s;
}

/// Of the first complaints of peers other than `lost`: about whom, and when the last was made.
struct findings {
    std::set<int> culprits;
    std::set<int> finders;
    time_point last{};
};

findings first_complaints(const watched_call& call, int lost)
{
    findings found;
    for (const auto& c : call.complaints()) {
        if (c.by == lost || !found.finders.insert(c.by).second) continue;
        found.culprits.insert(c.whom);
        found.last = c.when;
    }
    return found;
}

}  // namespace

TEST_CASE("nobody is overdue in a call without faults")
{
    for (auto s : {moderate(), moderate_with_heartbeats()}) {
        watched_call call(s);
        call.run();
        CHECK(call.successes() == 4);
        CHECK(call.complaints().empty());
    }
}

TEST_CASE("whoever stops is overdue for all, and nobody else: with heartbeats within three seconds")
{
    for (auto s : {moderate(), moderate_with_heartbeats()}) {
        for (const auto when : {400ms, 1000ms, 1500ms}) {
            watched_call call(s);
            call.at(when, [&] { call.stop(2); });
            call.run();
            const auto found = first_complaints(call, 2);
            CHECK(found.culprits == std::set{2});
            CHECK(found.finders == std::set{0, 1, 3});
            CHECK(found.last < time_point(when) + (s.heartbeat ? 3s : 5s));
        }
    }
}

TEST_CASE("whoever hangs is overdue, though its heartbeats come")
{
    watched_call call(moderate_with_heartbeats());
    call.at(1s, [&] { call.hang(2); });
    call.run();
    const auto found = first_complaints(call, 2);
    CHECK(found.culprits == std::set{2});
    CHECK(found.finders == std::set{0, 1, 3});
    CHECK(found.last < time_point(1s) + 6s);
}

TEST_CASE("if a direction of a link is cut, its end complains first, and of nobody else")
{
    watched_call call(moderate_with_heartbeats());
    call.at(1s, [&] { call.cut(2, 1); });
    call.run();
    REQUIRE(!call.complaints().empty());
    CHECK(call.complaints().front().by == 1);
    CHECK(call.complaints().front().whom == 2);
    CHECK(call.complaints().front().when < time_point(1s) + 3s);
}

TEST_CASE("a late caller is not overdue, nor is anybody who waits for it")
{
    for (auto s : {moderate(), moderate_with_heartbeats()}) {
        s.late = {0s, 0s, 40s, 3s};
        watched_call call(s);
        call.run();
        CHECK(call.successes() == 4);
        CHECK(call.complaints().empty());
    }
}

TEST_CASE("a caller that is late and blocks its loop has an eighth of the timeout")
{
    auto s = moderate_with_heartbeats();
    for (const auto late : {7s, 20s}) {
        s.late = {0s, 0s, late, 0s};
        watched_call call(s);
        call.block(2);
        call.run();
        CHECK(call.successes() == 4);
        CHECK(call.complaints().empty() == (late == 7s));
    }
}

TEST_CASE("a slow peer that is steady is not overdue")
{
    auto s = moderate();
    const std::vector<sim::access> each = {{3e6, 3e6}, {3e6, 3e6}, {15e4, 3e6}, {3e6, 3e6}};
    s.weather.each = each;
    watched_call call(s);
    call.run();
    CHECK(call.successes() == 4);
    CHECK(call.ended() > time_point(30s));
    CHECK(call.complaints().empty());
}

TEST_CASE("a link that slows to a tenth makes nobody overdue")
{
    watched_call call(moderate());
    call.at(500ms, [&] { call.world().reshape(2, {3e5, 3e5}); });
    call.run();
    CHECK(call.successes() == 4);
    CHECK(call.complaints().empty());
}

TEST_CASE("a program that stood still itself finds nobody overdue")
{
    watched_call call(moderate_with_heartbeats());
    call.at(1s, [&] { call.world().stand_still(20s); });
    call.run();
    CHECK(call.successes() == 4);
    CHECK(call.complaints().empty());
}

TEST_CASE("in several stages the first to complain is right")
{
    auto s = moderate_with_heartbeats();
    s.options.radix = {2, 2};
    watched_call call(s);
    call.at(700ms, [&] { call.stop(2); });
    call.run();
    REQUIRE(!call.complaints().empty());
    for (const auto& c : call.complaints())
        if (c.by != 2 && c.when < time_point(3700ms)) CHECK(c.whom == 2);
}

TEST_CASE("in several stages whoever stops is found without heartbeats, too, whenever that is")
{
    for (const auto& radix : {papilio::short_list<int>{2, 2}, papilio::short_list<int>{4}})
        for (int at = 100; at <= 1900; at += 150) {
            INFO("after " << at << " ms, in " << radix.size() << " stages");
            auto s = moderate();
            s.options.radix = radix;
            watched_call call(s);
            call.at(std::chrono::milliseconds(at), [&] { call.stop(2); });
            call.run();
            const auto first =
                std::ranges::find_if(call.complaints(), [](const auto& c) { return c.by != 2; });
            REQUIRE(first != call.complaints().end());
            CHECK((first->whom == 2 || (first->whom == -1 && radix.size() > 1)));
            CHECK(first->when < time_point(20s));
        }
}

TEST_CASE("a partner of a later stage is overdue later, since it may wait for one of its first")
{
    auto s = moderate();
    s.options.radix = {2, 2};
    watched_call call(s);
    call.at(400ms, [&] { call.stop(2); });  // which meets 3 first, and 3 then meets 1
    call.run();
    std::optional<time_point> by_3, by_1;
    for (const auto& c : call.complaints()) {
        if (c.by == 3 && c.whom == 2 && !by_3) by_3 = c.when;
        if (c.by == 1 && c.whom == 3 && !by_1) by_1 = c.when;
    }
    REQUIRE((by_3 && by_1));
    CHECK(*by_1 > *by_3 + 1s);
}

TEST_CASE("on links of any speed nobody who lives is overdue while the data moves")
{
    const auto [first, last] = test::seeds(40);
    for (int seed = first; seed <= last; ++seed) {
        INFO(test::again(seed,
                         "on links of any speed nobody who lives is overdue while the data "
                         "moves"));
        papilio::random source(static_cast<std::uint64_t>(seed));
        const auto peers = 2 + static_cast<int>(source.below(4));
        std::vector<sim::access> each;
        const auto rate = [&] { return 1e5 * static_cast<double>(1 << source.below(8)); };
        for (int i = 0; i < peers; ++i) {
            const auto up = rate();
            each.push_back({up, rate()});
        }
        const auto latency = std::chrono::microseconds(100 << source.below(9));
        watched_call::setting s;
        s.weather = {.seed = source.below(1000) + 1, .peers = peers, .latency = latency};
        if (source.below(2) == 0) s.weather.jitter = latency;
        s.weather.each = each;
        s.options.timeout = 60s;
        s.elements = std::size_t{20000} << source.below(5);
        for (int i = 0; i < peers; ++i)
            s.late.push_back(std::chrono::milliseconds(source.below(3) * source.below(5000)));
        watched_call call(s);
        call.run();
        CHECK(call.successes() == peers);
        for (const auto& c : call.complaints())
            UNSCOPED_INFO("peer " << c.by << " about " << c.whom);
        CHECK(call.complaints().empty());
    }
}
