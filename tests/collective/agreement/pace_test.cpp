#include <papilio/collective/agreement/pace.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using pa::detail::pace;
using namespace std::chrono_literals;

namespace {

pace pace_of(int gaps, pa::duration gap, pa::duration limit = 60s)
{
    pace p(limit);
    for (int i = 0; i < gaps; ++i) p.tell(gap);
    return p;
}

}  // namespace

TEST_CASE("before four gaps nobody knows how long one may get")
{
    CHECK_FALSE(pace_of(0, 1ms).deadline());
    CHECK_FALSE(pace_of(3, 1ms).deadline());
    CHECK(pace_of(4, 1ms).deadline());
}

TEST_CASE("where messages come fast, two seconds may pass without one, or a quarter of the timeout")
{
    CHECK(*pace_of(64, 1ms).deadline() == 2s);
    CHECK(*pace_of(64, 1ms, 8s).deadline() == 2s);
    CHECK(*pace_of(64, 1ms, 4s).deadline() == 1s);
    CHECK(*pace_of(64, 1ms, pa::duration::max()).deadline() == 2s);
}

TEST_CASE("messages may come ten times as slowly as they did, within an eighth of the timeout")
{
    CHECK(*pace_of(4, 500ms).deadline() == 5s);
    CHECK(*pace_of(4, 500ms, 24s).deadline() == 3s);
}

TEST_CASE("a pause may be three times as long as the longest there was, however long ago")
{
    auto p = pace_of(10, 1ms);
    p.tell(2s);
    CHECK(*p.deadline() == 6s);
    for (int i = 0; i < 1000; ++i) p.tell(1ms);
    CHECK(*p.deadline() == 6s);
}

TEST_CASE("what is steady is never late, though the timeout is short beside it")
{
    CHECK(*pace_of(5, 6s, 20s).deadline() == 12s);
}

TEST_CASE("of the median the latest 64 gaps decide")
{
    auto p = pace_of(1000, 600ms);
    for (int i = 0; i < 32; ++i) p.tell(300ms);
    CHECK(*p.deadline() == 6s);
    p.tell(300ms);
    CHECK(*p.deadline() == 3s);
}

TEST_CASE("four round trips may pass in any case")
{
    CHECK(*pace_of(4, 1ms).deadline(300ms) == 2s);
    CHECK(*pace_of(4, 1ms).deadline(1s) == 4s);
}
