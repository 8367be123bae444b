#include <validator/summary.hpp>

#include "observations.hpp"

#include <trainer/support.hpp>

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

namespace {

void add(summary& s, const observation& o)
{
    s.add(o, judge(o, {}, round_codec::none, 4000));
}

/// Two rounds of two miners, in which the text was learnt.
summary good_run()
{
    summary s({5.5, 128}, 3.1);
    add(s, observed(0, {1, 2}));
    add(s, observed(1, {1, 2}));
    s.note_evaluation({2.7, 128, 2, 0.5});
    return s;
}

}  // namespace

TEST_CASE("a good run has no shortcomings", "[validator]")
{
    auto s = good_run();
    CHECK(s.shortcomings().empty());
    add(s, observed(2, {1, 2, 3}));
    CHECK(s.miners().at(3).newcomer);
    CHECK(s.miners().at(3).first_round == 3);
    CHECK(s.shortcomings().empty());
    CHECK(s.miners().at(1).rounds == 3);
    CHECK(s.rounds() == 3);
}

TEST_CASE("each shortcoming of a run is found", "[validator]")
{
    const auto only = [](const summary& s, const char* words) {
        const auto all = s.shortcomings();
        REQUIRE(all.size() == 1);
        CHECK(mentions(all[0], words));
    };
    auto s = good_run();
    SECTION("no round")
    {
        summary none({5.5, 128}, 3.1);
        none.note_evaluation({2.7, 128, 0, 0.5});
        only(none, "no round succeeded");
    }
    SECTION("a digest that differs in the last round")
    {
        auto o = observed(2, {1, 2});
        o.outcome.reports.at(2).digest = "another";
        add(s, o);
        only(s, "miner 2 does not have the group's digest");
    }
    SECTION("a newcomer that had another state after its first round, and caught up later")
    {
        auto o = observed(2, {1, 2, 3});
        o.outcome.reports.at(3).digest = "another";
        add(s, o);
        add(s, observed(3, {1, 2, 3}));
        only(s, "newcomer 3 did not have");
    }
    SECTION("too many bytes, sent or received")
    {
        auto o = observed(2, {1, 2});
        (GENERATE(true, false) ? o.outcome.reports.at(1).bytes_sent
                               : o.outcome.reports.at(1).bytes_received) = 16'801;
        add(s, o);
        only(s, "1.050 times the butterfly's bytes");
    }
    SECTION("too many bytes to the validator, which counts them itself")
    {
        auto o = observed(2, {1, 2});
        o.own_report.peers = {{}, {0, 8'401}, {0, 8'000}};
        add(s, o);
        only(s, "1.050 times the butterfly's bytes");
    }
    SECTION("a loss that is not far enough below the entropy, or not a number")
    {
        s.note_evaluation({GENERATE(2.81, std::numeric_limits<double>::quiet_NaN()), 128, 2, 0.5});
        only(s, "unigram entropy");
    }
}

TEST_CASE("a loss is compared with the entropy of a text only where there is a text", "[validator]")
{
    summary s({5.5, 128}, std::numeric_limits<double>::quiet_NaN());
    add(s, observed(2, {1, 2}));
    CHECK(s.shortcomings().empty());
    CHECK_FALSE(mentions(s.text(10), "entropy"));
    CHECK(s.to_json(10)["unigram_entropy"].dump() == "null");
}

TEST_CASE("of a model of a few hundred bytes nobody asks how much is moved for it", "[validator]")
{
    summary s({5.5, 128}, std::numeric_limits<double>::quiet_NaN());
    auto o = observed(2, {1, 2});
    s.add(o, judge(o, {}, round_codec::none, 100));
    CHECK(s.shortcomings().empty());
}

TEST_CASE("what is moved again without a lost miner is no shortcoming", "[validator]")
{
    auto s = good_run();
    auto o = observed(2, {1, 2, 3, 4});
    o.outcome.reports.erase(4);
    for (auto& [id, report] : o.outcome.reports) report.left = {4};
    o.outcome.reports.at(1).bytes_sent = 40'000;
    add(s, o);
    s.note_departures(o.snapshot);
    CHECK(s.miners().at(1).rounds == 3);
    CHECK(s.miners().at(4).rounds == 0);
    CHECK(s.miners().at(4).status == "left out");
    add(s, observed(3, {1, 2, 3, 4}));
    CHECK(s.shortcomings().empty());
}

TEST_CASE("a failed attempt counts as such and changes nothing else", "[validator]")
{
    auto s = good_run();
    auto o = observed(2, {1, 2});
    o.outcome.ok = false;
    o.outcome.digest.clear();
    add(s, o);
    CHECK(s.rounds() == 2);
    CHECK(s.shortcomings().empty());
    CHECK(mentions(s.text(10), "1 failed attempts"));
}

TEST_CASE("names and reasons from others are told in letters", "[validator]")
{
    auto s = good_run();
    auto o = observed(2, {1, 2});
    o.snapshot.members[1].name = "bad\xff\x1b[2J";
    add(s, o);
    o.snapshot.members[2].present = false;
    o.snapshot.members[2].left = "its channel closed";
    s.note_departures(o.snapshot);
    CHECK(mentions(s.text(20), "bad??[2J"));
    CHECK(mentions(s.text(20), ", left: its channel closed"));
    CHECK(s.to_json(20)["miners"][1]["left"] == "its channel closed");
}

TEST_CASE("a miner's rounds and mean are carried over a restart, by its name", "[validator]")
{
    auto before = observed(0, {1, 2});
    before.snapshot.members[1].name = "ada";
    before.snapshot.members[2].name = "bob";
    summary first({5.5, 128}, 3.1);
    add(first, before);
    before.outcome.reports[1].digest = "another";
    add(first, before);

    auto after = observed(2, {7});
    after.snapshot.members[7].name = "ada";
    summary second({2.7, 128}, 3.1);
    second.carry_over(first.record());
    add(second, after);
    const auto& ada = second.miners().at(7);
    CHECK(ada.rounds == 2);
    CHECK(ada.chances == 3);
    CHECK(ada.score == 2);
    CHECK_FALSE(ada.newcomer);
    summary third({2.7, 128}, 3.1);  // bob, who has not come back yet, is remembered
    third.carry_over(second.record());
    after.snapshot.members[7].name = "bob";
    add(third, after);
    CHECK(third.miners().at(7).rounds == 3);
    second.carry_over(nlohmann::json::parse("[]"));
}

TEST_CASE("a record belongs to a name: an id that is given again begins anew, or goes on",
          "[validator]")
{
    summary s({5.5, 128}, 3.1);
    const auto round_of = [&](std::uint32_t round, std::uint16_t id, const char* name) {
        auto o = observed(round, {id});
        o.snapshot.members[id].name = name;
        add(s, o);
    };
    round_of(0, 1, "ada");
    round_of(1, 1, "ada");
    round_of(2, 1, "bob");
    CHECK(s.miners().at(1).name == "bob");
    CHECK(s.miners().at(1).rounds == 1);
    round_of(3, 2, "ada");
    CHECK(s.miners().at(2).rounds == 3);
    round_of(4, 1, "eve");
    round_of(5, 1, "bob");
    CHECK(s.miners().at(1).rounds == 2);
}

TEST_CASE("a summary is told to people and to programs", "[validator]")
{
    auto s = good_run();
    const auto text = s.text(20);
    CHECK(mentions(text, "5.500 at the start, 2.700 at the end"));
    CHECK(mentions(
        text, "128 sequences, at the start and after 1 of the rounds, in 500 ms of processor"));
    CHECK(mentions(text, "1.000 times"));
    CHECK(mentions(text, "500 ms a round, 5.0% of the run"));
    const auto json = s.to_json(20);
    CHECK(json["rounds"] == 2);
    CHECK(json["evaluated_rounds"] == 1);
    CHECK(json["evaluated_sequences"] == 128);
    CHECK(json["evaluation_processor_seconds"] == 0.5);
    CHECK(json["bytes_sent_per_miner_and_round"] == 16'000);
    CHECK(json["worst_ratio_to_butterfly"] == 1);
    CHECK(json["miners"].size() == 2);
    CHECK(json["miners"][1]["mean_score"] == 1);
    CHECK(json["shortcomings"].empty());
}
