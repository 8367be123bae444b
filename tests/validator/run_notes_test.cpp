#include <validator/run_notes.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;
using namespace papilio;
using namespace std::chrono_literals;

TEST_CASE("people are told what a run waits for, and what that has cost", "[validator]")
{
    CHECK(note_on(group_held{{3}, 60s}, 4) ==
          "round 5 waits up to 1 min 0 s for a miner that fetches the model");
    CHECK(note_on(group_held{{3, 4}, 60s}, 4) ==
          "round 5 waits up to 1 min 0 s for miners that fetch the model");
    CHECK(note_on(group_hold_ended{42s, false}, 4) == "the others have waited 42 s");
    CHECK(note_on(group_hold_ended{60s, true}, 4) == "the others have waited 1 min 0 s, in vain");
}

TEST_CASE("people are told of a miner that others cannot dial, and of a later state", "[validator]")
{
    CHECK_THAT(note_on(member_unreachable{3, {"127.0.0.1", 7}}, 4),
               Catch::StartsWith("miner 3 listens at 127.0.0.1 only"));
    CHECK_THAT(note_on(state_adopted{9, "digest"}, 4), Catch::Contains("after round 9"));
    CHECK(note_on(member_joined{3}, 4).empty());
    CHECK(label(3, "ada") == "miner 3 (ada)");
    CHECK(label(3, "") == "miner 3");
}

TEST_CASE("people are told without whom a round went on", "[validator]")
{
    group_round_outcome round{{6, 0, 1, 0, {}}, true, "D", {}};
    const auto label_of = [](std::uint16_t id) { return label(id, id == 3 ? "ada" : ""); };
    round.reports[1] = {6, 0, true, "D"};
    CHECK(note_on_departures(round, label_of).empty());
    round.reports[1].left = {2, 3};
    round.reports[4] = {6, 0, true, "another"};
    round.reports[4].left = {5};
    CHECK(note_on_departures(round, label_of) == "round 7 goes on without miner 2, miner 3 (ada)");
    round.ok = false;
    CHECK(note_on_departures(round, label_of).empty());
}
