#include <member/display.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

TEST_CASE("lines are cut to the room that there is, so that none wraps and none scrolls",
          "[member]")
{
    const std::string lines = "a line of some length\nZo\xc3\xab\nthree\nfour\n";
    CHECK(fitted(lines, {}) == lines);
    CHECK(fitted(lines, {80, 25}) == lines);
    CHECK(fitted(lines, {6, 25}) == "a line\nZo\xc3\xab\nthree\nfour\n");
    CHECK(fitted(lines, {3, 5}) == "a l\nZo\xc3\xab\nthr\nfou\n");
    CHECK(fitted(lines, {80, 4}) == "a line of some length\nZo\xc3\xab\n... and 2 more lines\n");
    CHECK(fitted(lines, {80, 1}) == "... and 4 more lines\n");
    CHECK(fitted("", {80, 25}).empty());
}

TEST_CASE("spans of time are short", "[member]")
{
    CHECK(span_of(0.25) == "250 ms");
    CHECK(span_of(125.2) == "2 min 5 s");
}
