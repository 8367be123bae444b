#include <miner/round_times.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

namespace {

using std::chrono::seconds;

/// So many seconds after some time.
round_times::clock::time_point at(int s)
{
    return round_times::clock::time_point{} + seconds(s);
}

}  // namespace

TEST_CASE("the parts of a round are its whole", "[miner]")
{
    round_times t(at(10));
    t.enter(round_part::steps, at(11));
    t.enter(round_part::other, at(15));
    t.enter(round_part::steps, at(16));
    t.enter(round_part::checkpoint_wait, at(20));
    t.enter(round_part::averaging, at(22));
    t.enter(round_part::other, at(25));
    CHECK(t.seconds(round_part::steps) == 8);
    CHECK(t.seconds(round_part::averaging) == 3);
    CHECK(t.seconds(round_part::checkpoint_wait) == 2);
    CHECK(t.seconds(round_part::other) == 2);
    CHECK(t.whole() == 15);
}

TEST_CASE("a part of a round may be known to have begun a while ago, but not before the last one",
          "[miner]")
{
    round_times t(at(0));
    t.enter(round_part::waiting, at(10));
    t.enter(round_part::averaging, at(12));
    CHECK(t.seconds(round_part::waiting) == 2);
    t.enter(round_part::waiting, at(15));
    t.enter(round_part::averaging, at(14));
    t.enter(round_part::other, at(20));
    CHECK(t.seconds(round_part::waiting) == 2);
    CHECK(t.seconds(round_part::averaging) == 8);
    CHECK(t.whole() == 20);
}

TEST_CASE("a round begins where the one before has ended, and has nothing of it", "[miner]")
{
    round_times t(at(0));
    t.enter(round_part::steps, at(0));
    t.enter(round_part::other, at(5));
    t.begin(at(7));
    CHECK(t.whole() == 0);
    t.enter(round_part::steps, at(8));
    CHECK(t.seconds(round_part::other) == 1);
    t.enter(round_part::other, at(9));
    CHECK(t.seconds(round_part::steps) == 1);
    CHECK(t.whole() == 2);
}
