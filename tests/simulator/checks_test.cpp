// What a run may not show, planted in the record of one that was well.

#include <sim/checks.hpp>

#include <papilio/sim/faults.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <string>

using namespace papilio::example::simulator;
using papilio::call_error;
using papilio::errc;
using papilio::phase;
using papilio::role;
using namespace std::chrono_literals;

namespace {

scenario calm()
{
    scenario s;
    s.elements = 600;
    s.weights = {1, 2, 0};
    s.begins.assign(3, 0ms);
    s.latency = 1ms;
    s.each.assign(3, {});
    return s;
}

scenario calm(collective call)
{
    auto s = calm();
    s.call = call;
    if (call == collective::reduce_scatter) return s;
    s.weights = {1, 1, 1};
    s.in_place = call == collective::broadcast;
    if (s.in_place) s.weights = {0, 0, 1};
    s.root = 2;
    if (call == collective::barrier) s.elements = 0;
    return s;
}

scenario lossy()
{
    auto s = calm();
    s.codec = coding::int8b;
    s.weighted = true;
    return s;
}

/// The first sentence about a run that is changed like this.
template <class Change>
std::string said(Change change, scenario s = calm())
{
    auto r = run(s);
    REQUIRE(violations(r).empty());
    change(r);
    const auto all = violations(r);
    return all.empty() ? "" : all.front();
}

std::string about(const std::string& found, const std::string& wanted)
{
    return found.find(wanted) == std::string::npos ? found : wanted;
}

void fail(peer_end& end, errc why)
{
    end.success.reset();
    end.out = end.given;
    end.failure = call_error(make_error_code(why), 1, 0, phase::vote);
}

void add_to(std::uint32_t& word, float what)
{
    word = std::bit_cast<std::uint32_t>(std::bit_cast<float>(word) + what);
}

}  // namespace

TEST_CASE("a run that is well has nothing to be said about it, in any kind of call")
{
    CHECK(violations(run(calm())).empty());
    CHECK(violations(run(lossy())).empty());
    auto s = calm();
    s.integers = true;
    s.in_place = true;
    CHECK(violations(run(s)).empty());
    s = calm();
    s.weights = {0, 0, 0};  // fails, and is to
    CHECK(violations(run(s)).empty());
    for (const auto call : {collective::all_gather, collective::reduce_scatter,
                            collective::broadcast, collective::barrier})
        CHECK(violations(run(calm(call))).empty());
}

TEST_CASE("a wrong number is found, by an exact sum and within a codec's bound")
{
    const auto one_more = [](run_record& r) {
        for (auto& end : r.ends) add_to(end.out[599], 1);
    };
    CHECK(about(said(one_more), "has a wrong number at 599") == "has a wrong number at 599");
    CHECK(about(said(one_more, lossy()), "has a wrong number") == "has a wrong number");
    const auto within = [](run_record& r) {
        for (auto& end : r.ends) add_to(end.out[0], 1e-3f);
    };
    CHECK(said(within, lossy()).empty());
    CHECK_FALSE(said(within).empty());
    const auto nan = [](run_record& r) {
        for (auto& end : r.ends) end.out[7] = 0x7fc00000;
    };
    CHECK(about(said(nan, lossy()), "has a wrong number at 7") == "has a wrong number at 7");
}

TEST_CASE("where a bit has flipped numbers may be wrong, but are the same for all")
{
    const auto all_wrong = [](run_record& r) {
        r.flipped = 1;
        for (auto& end : r.ends) add_to(end.out[599], 1);
    };
    CHECK(said(all_wrong).empty());
    const auto one_wrong = [](run_record& r) {
        r.flipped = 1;
        add_to(r.ends[1].out[599], 1);
    };
    CHECK(about(said(one_wrong), "other bits than peer 0") == "other bits than peer 0");
    auto fast = calm();
    fast.latency = 40us;  // where elements that travel as they lie are not summed
    CHECK(said(one_wrong, fast).empty());
    auto summed = lossy();
    summed.latency = 40us;
    CHECK(about(said(one_wrong, summed), "other bits than peer 0") == "other bits than peer 0");
}

TEST_CASE("other bits and other contributors than another peer's are found")
{
    const auto other_bits = [](run_record& r) { r.ends[2].out[5] ^= 1; };
    CHECK(about(said(other_bits, lossy()), "peer 2 has other bits than peer 0") ==
          "peer 2 has other bits than peer 0");
    const auto other_weight = [](run_record& r) {
        r.ends[1].success->made_of[0].from[0].weight = 3;
    };
    CHECK(said(other_weight) == "peer 1 reports contributors that cannot be");
    const auto cut = [](run_record& r) {
        auto& made_of = r.ends[1].success->made_of;
        made_of.push_back({{300, 300}, made_of[0].from});
        made_of[0].range.size = 300;
    };
    CHECK(said(cut) == "peer 1 reports other contributors than peer 0");
    const auto gap = [](run_record& r) {
        for (auto& end : r.ends) end.success->made_of[0].range.size = 599;
    };
    CHECK(said(gap) == "peer 0 reports ranges that are not the result's");
}

TEST_CASE("in a reduce_scatter peers may leave out what another one tells, and not contradict it")
{
    const auto differ = [](auto change) {
        auto r = run(calm(collective::reduce_scatter));
        change(r.ends[1].success->made_of);
        return std::ranges::count(violations(r), "peer 1 reports other contributors than peer 0");
    };
    CHECK(differ([](auto& made_of) { made_of[0].range.size = 400; }) == 0);
    CHECK(differ([](auto& made_of) { made_of[0].from[0].weight = 3; }) == 1);
    CHECK(differ([](auto& made_of) {
              made_of.push_back({{400, 200}, {}});
              made_of[0].range.size = 400;
          }) == 1);
}

TEST_CASE("each range is judged by its own contributors")
{
    const auto mixed = [](run_record& r) {
        const auto of_0 = input_of(r.of, 0);
        for (auto& end : r.ends) {
            auto& made_of = end.success->made_of;
            made_of.push_back({{100, 500}, made_of[0].from});
            made_of[0] = {{0, 100}, {{0, 1}}};
            for (std::size_t i = 0; i < 100; ++i)
                end.out[i] = std::bit_cast<std::uint32_t>(static_cast<float>(of_0[i]));
        }
    };
    CHECK(said(mixed).empty());
}

TEST_CASE("a part may be missing of whom a call has gone on without, and of nobody else")
{
    const auto without_part_1 = [](bool has_left, bool all_of_it) {
        return [=](run_record& r) {
            for (auto& end : r.ends) {
                auto& done = *end.success;
                done.made_of.erase(done.made_of.begin() + 1);
                if (!all_of_it) ++done.made_of[1].range.size, --done.made_of[1].range.begin;
                if (has_left) done.left = {{1, {}}};
            }
        };
    };
    const auto gathers = calm(collective::all_gather);
    CHECK(said(without_part_1(true, true), gathers).empty());
    CHECK(said(without_part_1(false, true), gathers) ==
          "peer 0 reports ranges that are not the result's");
    CHECK(said(without_part_1(true, false), gathers) ==
          "peer 0 reports ranges that are not the result's");
    const auto of_another = [](run_record& r) { r.ends[0].success->made_of[1].from[0].rank = 2; };
    CHECK(said(of_another, gathers) == "peer 0 reports contributors that cannot be");
    const auto last_part_is_missing = [](run_record& r) {
        for (auto& end : r.ends) end.success->made_of[0].range.size = 400;
        for (auto& end : r.ends) end.success->left = {{2, {}}};
    };
    CHECK(said(last_part_is_missing, calm(collective::reduce_scatter)).empty());
    CHECK(said(last_part_is_missing) == "peer 0 reports ranges that are not the result's");
}

TEST_CASE("what a report does not tell of may be anything, and what it tells of the same for all")
{
    const auto changed = [](std::size_t at) {
        return [=](run_record& r) {
            for (auto& end : r.ends) {
                end.success->made_of.erase(end.success->made_of.begin() + 1);
                end.success->left = {{1, {}}};
            }
            r.ends[0].out[at] ^= 1;
        };
    };
    auto s = calm(collective::all_gather);
    s.codec = coding::int8b;
    CHECK(said(changed(200), s).empty());
    CHECK(said(changed(400), s) == "peer 1 has other bits than peer 0");
}

TEST_CASE("a contributor of weight 0, or nobody, is found in a map")
{
    const auto nobody = [](run_record& r) {
        for (auto& end : r.ends) end.success->made_of[0].from.clear();
    };
    CHECK(said(nobody) == "peer 0 reports contributors that cannot be");
    const auto nothing = [](run_record& r) {
        for (auto& end : r.ends) end.success->made_of[0].from.push_back({2, 0});
    };
    CHECK(said(nothing) == "peer 0 reports contributors that cannot be");
}

TEST_CASE("data that a failed call has changed is found, and input that any has")
{
    const auto with = [](bool in_place, bool failed) {
        auto s = calm();
        s.in_place = in_place;
        s.faults = papilio::sim::parse_schedule("3s stop 0 for 1ms", 3);
        return said(
            [&](run_record& r) {
                if (failed)
                    for (auto& end : r.ends) fail(end, errc::timed_out);
                if (failed)
                    for (auto& end : r.ends) end.in = end.given;
                r.ends[1].in[3] ^= 1;
            },
            s);
    };
    CHECK(with(false, true) == "peer 1 has not the data that it had");
    CHECK(with(false, false) == "peer 1 has not the data that it had");
    CHECK(with(true, true) == "peer 1 has not the data that it had");
    CHECK(with(true, false).empty());
}

TEST_CASE("success beside a failure for certain is found, and beside an unknown end it is none")
{
    auto s = calm();
    s.faults = papilio::sim::parse_schedule("3s stop 0 for 1ms", 3);
    const auto with = [&](errc why) {
        return said([&](run_record& r) { fail(r.ends[1], why); }, s);
    };
    CHECK(with(errc::timed_out) == "peer 1 has failed for certain, and peer 0 has succeeded");
    CHECK(with(errc::outcome_unknown).empty());
    CHECK(with(errc::left_out).empty());
    const auto without_it = [&](run_record& r) {
        fail(r.ends[1], errc::timed_out);
        for (const int winner : {0, 2})
            r.ends[static_cast<std::size_t>(winner)].success->left = {{1, {}}};
    };
    CHECK(said(without_it, s).empty());
    s.roles = {role::full, role::observer, role::full};
    s.weights = {1, 0, 2};
    CHECK(with(errc::timed_out).empty());
}

TEST_CASE("a call that ends late, not at all or by something strange is found")
{
    const auto late = [](run_record& r) { r.ends[0].ended = r.ends[0].began + 4s + 1ns; };
    CHECK(said(late) == "peer 0 has ended after its timeout");
    const auto was_stopped = [](run_record& r) {
        r.ends[0].ended = r.ends[0].went_on = r.ends[0].began + 5s;
    };
    CHECK(said(was_stopped).empty());
    auto s = calm();
    s.faults = papilio::sim::parse_schedule("3s stop 0 for 1ms", 3);
    const auto never = [](run_record& r) { r.ends[2].success.reset(); };
    CHECK(said(never, s) == "peer 2 has not ended");
    const auto died = [](run_record& r) {
        r.ends[2].success.reset();
        r.ends[2].died = true;
    };
    CHECK(said(died, s).empty());
    const auto stands = [](run_record& r) {
        r.ends[2].success.reset();
        r.ends[2].stands = true;
    };
    CHECK(said(stands, s).empty());
    const auto strange = [](run_record& r) {
        r.ends[2].success.reset();
        r.ends[2].other = "a bug";
    };
    CHECK(said(strange, s) == "peer 2 has thrown what no call should: a bug");
    const auto endless = [](run_record& r) { r.quiet = false; };
    CHECK(said(endless) == "the run does not come to an end");
}

TEST_CASE("a failure without a fault is found, and so are queues without bound")
{
    const auto failed = [](run_record& r) {
        for (auto& end : r.ends) fail(end, errc::outcome_unknown);
    };
    CHECK(said(failed) == "peer 0 has failed without a fault");
    const auto full = [](run_record& r) { r.ends[1].most_early_bytes = 2 * r.of.early_limit + 1; };
    CHECK(said(full) == "peer 1 has kept too many early messages");
}

TEST_CASE("who fails in a majority that nothing befalls is found, if there was time")
{
    auto s = calm();
    s.salvage = true;
    s.weights = {1, 1, 1};
    s.faults = papilio::sim::parse_schedule("0ms crash 2", 3);
    const auto fails = [](run_record& r) { fail(r.ends[1], errc::outcome_unknown); };
    CHECK(said(fails, s) == "peer 1 has failed, in a majority that nothing has befallen");
    CHECK(said([](run_record& r) { fail(r.ends[2], errc::outcome_unknown); }, s).empty());
    s.timeout = 30ms;  // less than 32 ways of 1 ms
    CHECK(said(fails, s).empty());
}
