#include <validator/terminal_view.hpp>

#include "observations.hpp"

#include <trainer/support.hpp>

#include <catch2/catch.hpp>

#include <limits>
#include <sstream>

using namespace papilio::example;

TEST_CASE("the table shows the miners that are there, and nothing that moves the cursor",
          "[validator]")
{
    auto o = observed(4, {1, 2, 3});
    o.snapshot.members[2].present = false;
    o.snapshot.members[3].name = "evil\x1b[2J\n name that goes on";
    o.snapshot.links.erase(3);
    summary s({5.5, 128}, 3.1);
    s.add(o, judge(o, {}, round_codec::none, 4000));
    const auto t = table(o.snapshot, s);
    CHECK(std::ranges::count(t, '\n') == 3);
    CHECK(mentions(t, "10.0.0.1:1"));
    CHECK_FALSE(mentions(t, "10.0.0.2:2"));
    CHECK_FALSE(mentions(t, "\x1b"));
    CHECK(mentions(t, "evil?[2J? na "));

    const auto line = status_line(o.snapshot, {{2.5, 128, 4}, 3.1, 61, 30});
    o.snapshot.members[1].ready = true;
    CHECK(mentions(status_line(o.snapshot, {}), "2 miners (1 ready)"));
    CHECK(line ==
          "1 min 1 s: 5 rounds done, held-out loss 2.500 of 128 sequences after round 4, 2 miners, "
          "unigram entropy 3.100, 30 s left\n");
    const double none = std::numeric_limits<double>::quiet_NaN();
    CHECK_FALSE(mentions(status_line(o.snapshot, {{2.5, 128, 4}, none, 61, 30}), "entropy"));
}

TEST_CASE("however narrow a terminal is, its table has loss and score", "[validator]")
{
    auto o = observed(4, {1, 2});
    o.snapshot.members[1].progress.loss = 2.345;
    summary s({5.5, 128}, 3.1);
    s.add(o, judge(o, {}, round_codec::none, 4000));
    for (std::size_t width = 60; width < 130; ++width) {
        CAPTURE(width);
        std::istringstream lines(table(o.snapshot, s, width));
        std::string line;
        REQUIRE(std::getline(lines, line));
        CHECK(line.ends_with("  loss  score"));
        CHECK(line.starts_with("miner name "));
        CHECK(mentions(line, " rounds "));
        CHECK(mentions(line, "address") == (width >= 110));
        CHECK(line.size() <= width);
        REQUIRE(std::getline(lines, line));
        CHECK(mentions(line, " 2.345 "));
        CHECK(line.size() <= width);
    }
}
