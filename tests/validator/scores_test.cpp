#include <validator/scores.hpp>

#include "observations.hpp"

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;
namespace wire = papilio::wire;

TEST_CASE("a score is 1 for whoever took part over a link that meets the demands", "[validator]")
{
    auto o = observed(3, {1, 2, 3});
    o.snapshot.links[2]->up_mbit = 1;
    o.snapshot.links[3] = std::nullopt;  // its measurement failed
    const auto v = judge(o, {}, round_codec::none, 4000);
    REQUIRE(v.size() == 3);
    CHECK(v[0].status == "averaged");
    CHECK(v[0].score() == 1);
    CHECK(v[1].score() == 0);
    CHECK(v[2].meets_demands == false);
    CHECK(v[2].score() == 0);
    const auto lenient = judge(o, {0, 0, 0}, round_codec::none, 4000);
    CHECK(lenient[2].score() == 1);
}

TEST_CASE("a link that was never measured counts for nothing, and to take part is enough",
          "[validator]")
{
    auto o = observed(3, {1, 2});
    o.snapshot.links.erase(1);
    o.snapshot.links.erase(2);
    o.outcome.reports.at(2).ok = false;
    const auto v = judge(o, {}, round_codec::none, 4000);
    CHECK(v[0].score() == 1);
    CHECK(v[1].score() == 0);
    const auto line = to_json(v[0], o, 2.5);
    CHECK(line["meets_demands"].is_null());
    CHECK(line["up_mbit"].is_null());
}

TEST_CASE("a round of clients alone is judged like any other that failed", "[validator]")
{
    auto o = observed(3, {1, 2});
    o.outcome.ok = false;
    for (auto& m : o.outcome.group.members)
        if (m.id != 0) m.role = wire::member_role::client;
    const auto v = judge(o, {}, round_codec::int8b, 4000);
    REQUIRE(v.size() == 2);
    CHECK(v[0].butterfly == 0);
    CHECK(v[0].score() == 0);
}

TEST_CASE("demands are met from the threshold on", "[validator]")
{
    const thresholds demands{10, 20, 100};
    CHECK(meets(link_figures{10, 20, 100, 0}, demands));
    CHECK_FALSE(meets(link_figures{9.9, 20, 100, 0}, demands));
    CHECK_FALSE(meets(link_figures{10, 19.9, 100, 0}, demands));
    CHECK_FALSE(meets(link_figures{10, 20, 100.1, 0}, demands));
    CHECK(meets(link_figures{10, 20, 1e9, 0}, {10, 20, 0}));
    CHECK_FALSE(meets(std::nullopt, demands));
    CHECK(meets(std::nullopt, {0, 0, 0}));
}

TEST_CASE("whoever did not take part scores nothing, and it is said why", "[validator]")
{
    auto o = observed(7, {1, 2, 3, 4});
    o.outcome.reports.at(2).digest = "another";
    o.outcome.reports.at(3).ok = false;
    o.outcome.reports.erase(4);
    o.snapshot.members[5] = {"newcomer", {"10.0.0.5", 5}, true, false, {}, {}};
    o.snapshot.members[6] = {"long gone", {"10.0.0.6", 6}, false, false, {}, "it left"};
    const auto v = judge(o, {0, 0, 0}, round_codec::none, 4000);
    REQUIRE(v.size() == 5);
    const char* statuses[] = {"averaged", "differs", "failed", "silent", "absent"};
    for (std::size_t i = 0; i < v.size(); ++i) {
        CHECK(v[i].status == statuses[i]);
        CHECK(v[i].score() == (i == 0 ? 1 : 0));
    }
}

TEST_CASE("an attempt that failed scores nobody", "[validator]")
{
    auto o = observed(1, {1, 2});
    o.outcome.ok = false;
    o.outcome.digest.clear();
    for (const auto& v : judge(o, {0, 0, 0}, round_codec::none, 4000)) {
        CHECK(v.status == "failed");
        CHECK(v.score() == 0);
    }
}

TEST_CASE("a line of scores holds what was seen and measured", "[validator]")
{
    auto o = observed(3, {1, 2});
    o.own_report.peers = {{}, {0, 7'990}, {0, 8'000}};
    const auto v = judge(o, {}, round_codec::none, 4000);
    const auto line = to_json(v[1], o, 2.5);
    CHECK(line["round"] == 4);
    CHECK(line["miner"] == 2);
    CHECK(line["endpoint"] == "10.0.0.2:2");
    CHECK(line["bytes_sent"] == 16'000);
    CHECK(line["butterfly_bytes"] == 16'000);
    CHECK(line["bytes_to_validator"] == 8'000);
    CHECK(line["up_mbit"] == 100);
    CHECK(line["rtt_ms"] == 5);
    CHECK(line["score"] == 1);
    CHECK(line["digest_matches"] == true);
    CHECK(line["held_out_loss"] == 2.5);
    CHECK(to_json(v[1], o, std::nullopt)["held_out_loss"].is_null());
}
