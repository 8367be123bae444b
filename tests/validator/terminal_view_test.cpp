#include <validator/terminal_view.hpp>

#include "observations.hpp"

#include <trainer/support.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

TEST_CASE("the table shows the miners that are there, and nothing that moves the cursor",
          "[validator]")
{
    auto o = observed(4, {1, 2, 3});
    o.snapshot.members[2].present = false;
    o.snapshot.members[3].name = "evil\x1b[2J\n name that goes on";
    o.snapshot.links.erase(3);
    summary s(5.5, 3.1);
    s.add(o, judge(o, {}, round_codec::none, 4000));
    const auto t = table(o.snapshot, s);
    CHECK(std::ranges::count(t, '\n') == 3);
    CHECK(mentions(t, "10.0.0.1:1"));
    CHECK_FALSE(mentions(t, "10.0.0.2:2"));
    CHECK_FALSE(mentions(t, "\x1b"));
    CHECK(mentions(t, "evil?[2J? na "));

    const auto line = status_line(o.snapshot, {2.5, 3.1, 61, 30});
    o.snapshot.members[1].ready = true;
    CHECK(mentions(status_line(o.snapshot, {}), "2 miners (1 ready)"));
    CHECK(line ==
          "1 min 1 s: 5 rounds done, 2 miners, held-out loss 2.500, unigram entropy 3.100, "
          "30 s left\n");
}
