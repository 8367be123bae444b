#include <chaos/checker.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example::chaos;

namespace {

constexpr std::uint64_t checked_seed = 5;

attempt_ended result_of(int member)
{
    attempt_ended a;
    a.group = "0.0.1";
    a.ok = true;
    a.made_of = {{0, 10, {member}}};
    a.mean = contribution(checked_seed, member, 0, 10);
    return a;
}

}  // namespace

TEST_CASE("equal and right results are counted, number by number", "[checker]")
{
    checker c(checked_seed);
    CHECK(c.add(1, result_of(3)).empty());
    CHECK(c.add(2, result_of(3)).empty());
    CHECK(c.results() == 2);
    CHECK(c.numbers() == 20);
    CHECK(c.wrong_numbers() == 0);
    CHECK(c.different() == 0);
}

TEST_CASE("a wrong number is told, with who got it", "[checker]")
{
    checker c(checked_seed);
    auto a = result_of(3);
    a.mean[4] += 0.5f;
    const auto told = c.add(2, a);
    REQUIRE(told.size() == 1);
    CHECK(told[0] == "1 of the 10 numbers that member 2 got in round 1 are wrong");
    CHECK(c.wrong_numbers() == 1);
}

TEST_CASE("two right results of one attempt that differ are told", "[checker]")
{
    checker c(checked_seed);
    CHECK(c.add(1, result_of(3)).empty());
    const auto told = c.add(2, result_of(4));
    REQUIRE(told.size() == 1);
    CHECK(told[0] == "members 1 and 2 got different results in round 1");
    CHECK(c.different() == 1);
    auto another = result_of(4);
    another.group = "0.1.2";
    CHECK(c.add(2, another).empty());
}

TEST_CASE("an attempt that failed proves nothing", "[checker]")
{
    checker c(checked_seed);
    CHECK(c.add(1, attempt_ended{}).empty());
    CHECK(c.results() == 0);
}

TEST_CASE("all who hold the state after a round hold the same", "[checker]")
{
    checker c(checked_seed);
    CHECK(c.add(1, 7, "abc").empty());
    CHECK(c.add(0, 7, "abc").empty());
    CHECK(c.add(2, 8, "def").empty());
    const auto told = c.add(0, 8, "abc");
    REQUIRE(told.size() == 1);
    CHECK(told[0] == "after round 8, member 2 has the state def, and the host the state abc");
    CHECK(c.states() == 4);
    CHECK(c.different() == 1);
}
