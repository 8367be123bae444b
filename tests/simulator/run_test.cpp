#include <sim/run.hpp>

#include <sim/checks.hpp>
#include <sim/search.hpp>
#include <sim/text.hpp>

#include <papilio/base/random.hpp>

#include <support/seeds.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <string>

using namespace papilio::example::simulator;
namespace sim = papilio::sim;
using namespace std::chrono_literals;

namespace {

/// Four peers, each of whose calls takes some 50 ms.
scenario with(const std::string& faults)
{
    scenario s;
    s.peers = 4;
    s.elements = 20'000;
    s.weights.assign(4, 1);
    s.begins.assign(4, 0ms);
    s.latency = 5ms;
    s.each.assign(4, {});
    s.faults = sim::parse_schedule(faults, 4);
    return s;
}

/// The call of a seed among full peers, with `salvage`, of whom half are cut off from the others
/// while it runs.
scenario in_halves(std::uint64_t seed)
{
    auto s = draw_scenario(seed);
    s.salvage = true;
    s.roles.clear();
    papilio::random draw(seed);
    const auto most = 10ms + 6 * (s.latency + s.jitter);
    sim::fault cut;
    cut.what = sim::verb::partition;
    cut.at = std::chrono::microseconds(draw.below(static_cast<std::uint64_t>(most / 1us)));
    for (int rank = 0; rank < s.peers / 2; ++rank) cut.peers.push_back(rank);
    s.faults = {cut};
    return s;
}

std::size_t successes(const run_record& r)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(r.ends, [](const auto& end) { return end.success.has_value(); }));
}

}  // namespace

TEST_CASE("a run follows from its scenario, message by message")
{
    std::set<std::uint64_t> traces;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        const auto s = draw_scenario(seed);
        const auto first = run(s);
        CHECK(run(s).trace == first.trace);
        CHECK(to_text(run(s)) == to_text(first));
        traces.insert(first.trace);
    }
    CHECK(traces.size() == 50);
}

TEST_CASE("what befalls a call shows in its end, and in its timeline")
{
    CHECK(successes(run(with(""))) == 4);
    const auto crashed = run(with("10ms crash 2"));
    CHECK(crashed.ends[2].died);
    CHECK_FALSE(crashed.ends[2].has_ended());
    const auto text = to_text(crashed);
    CHECK(text.find("4 peers of weights 1,1,1,1") != std::string::npos);
    CHECK(text.find("    0.000000 ms  peer 0 calls\n") != std::string::npos);
    CHECK(text.find("   10.000000 ms  crash 2\n") != std::string::npos);
    CHECK(text.find("peer 2 succeeds") == std::string::npos);

    const auto stopped = run(with("10ms stop 1 for 300ms"));
    CHECK(successes(stopped) == 4);
    CHECK(stopped.ends[1].went_on == 310ms);
    CHECK(stopped.ends[1].ended >= 310ms);
    CHECK(to_text(stopped).find("310.000000 ms  over: stop 1 for 300ms\n") != std::string::npos);
    CHECK(run(with("10ms stop 1")).ends[1].stands);
    CHECK(successes(run(with("10ms partition 0,1 for 200ms"))) == 4);
    CHECK(run(with("0ms clog 0,1 by 100ms")).ends[2].ended > 200ms);
}

TEST_CASE("a failure is told with the smallest schedule, and the line that shows it again")
{
    const auto s =
        with("3.777ms reorder 0,1 by 9ms; 12.345ms stop 1 for 200ms; 20ms clog 2,3 by 1ms");
    const judgement went_on_late = [](const run_record& r) {
        std::vector<std::string> all;
        if (r.ends[1].went_on > 100ms) all.push_back("went on late");
        return all;
    };
    const auto found = shrunk(s, went_on_late);
    CHECK(sim::to_string(found.of.faults) == "10ms stop 1 for 100ms");
    CHECK(to_text(found) ==
          "seed 1:\n  went on late\n  to see it again: "
          "papilio-sim --seed 1 --schedule '10ms stop 1 for 100ms'\n");
}

TEST_CASE("runs are counted by how they ended")
{
    tally t;
    add(t, run(with("")));
    add(t, run(with("0ms stop 2")));
    auto lost = run(with("10ms crash 2"));
    add(t, lost);
    CHECK(t.runs == 3);
    CHECK(t.with_faults == 2);
    CHECK(t.successes >= 4);
    CHECK(t.without_end == 2);
    CHECK(t.salvaged == 0);
    auto s = with("10ms crash 2");
    s.salvage = true;
    add(t, run(s));
    CHECK(t.salvaged == 1);
    CHECK(t.views == std::array{0, 1, 0, 0});
    const auto text = to_text(t, 1.5);
    CHECK(text.find("         4  runs\n         2  runs per second\n") == 0);
    CHECK(text.find("  peers that succeeded\n") != std::string::npos);
    CHECK(text.find("         3  that were lost\n") != std::string::npos);
}

TEST_CASE("who has left the first view and hears its last votes then knows all weights")
{
    auto s = with("0ms drop 2,3");
    s.elements = 2;
    s.weighted = s.salvage = true;
    s.jitter = 10ms;
    s.chunk_bytes = 8192;
    int unknown = 0;
    for (s.seed = 1; s.seed <= 300; ++s.seed) {
        s.faults[0].at = std::chrono::microseconds(100 * s.seed);
        const auto record = run(s);
        CHECK(violations(record).empty());
        for (const auto& end : record.ends)
            unknown += end.failure && end.failure->code() == papilio::errc::outcome_unknown &&
                               end.ended < 1s
                           ? 1
                           : 0;
    }
    CHECK(unknown == 0);
}

TEST_CASE("when half of a group is cut off from the others, not both halves go on")
{
    const auto range = papilio::test::seeds(1000);
    for (int seed = range.first; seed <= range.last; ++seed) {
        const auto s = in_halves(static_cast<std::uint64_t>(seed));
        INFO(to_repeat(s) << ", among full peers with salvage");
        REQUIRE(violations(run(s)).empty());
    }
}

TEST_CASE("who has not begun a call is waited for in later views, too, while it lives")
{
    auto s = with("5ms crash 0");
    s.peers = 6;
    s.weights.assign(6, 1);
    s.each.assign(6, {});
    s.begins = {0ms, 0ms, 0ms, 0ms, 1500ms, 1900ms};  // half of those who are left
    s.salvage = true;
    s.heartbeat = 100ms;
    const auto record = run(s);
    CHECK(successes(record) == 5);
    CHECK(record.ends[4].success->made_of[0].from.size() == 5);
    s.heartbeat = {};  // then nobody can tell
    CHECK(successes(run(s)) < 5);
}

TEST_CASE("whatever befalls peers and links, no run shows what none may")
{
    const auto range = papilio::test::seeds(1000);
    tally all;
    for (int seed = range.first; seed <= range.last; ++seed) {
        const auto record = run(draw_scenario(static_cast<std::uint64_t>(seed)));
        add(all, record);
        if (violations(record).empty()) continue;
        INFO(to_text(shrunk(record.of)));
        REQUIRE(violations(record).empty());
    }
    INFO(to_text(all, 1));
    if (all.runs < 1000) return;
    CHECK(all.successes > all.runs);
    CHECK(10 * (all.views[1] + all.views[2] + all.views[3]) > 3 * all.salvaged);
    CHECK(20 * (all.views[2] + all.views[3]) > all.salvaged);
}
