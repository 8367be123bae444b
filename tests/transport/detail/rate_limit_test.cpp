#include <papilio/transport/detail/rate_limit.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using namespace std::chrono_literals;

TEST_CASE("a rate limit spreads bytes over time")
{
    pa::detail::rate_limit limit(1'000'000);
    const pa::time_point start{5s};
    CHECK(limit.reserve(10'000, start) == start);  // a hundredth of a second's worth after a pause
    CHECK(limit.reserve(500'000, start) == start);
    CHECK(limit.reserve(1, start) == start + 500ms);
    CHECK(limit.reserve(1, start + 2s) == start + 2s);
}

TEST_CASE("bytes that were reserved and given back are there for others")
{
    pa::detail::rate_limit limit(1'000'000);
    const pa::time_point start{5s};
    limit.reserve(1'010'000, start);
    limit.give_back(1'000'000);
    CHECK(limit.reserve(1, start) == start);
    CHECK(limit.reserve(1, start) > start);
}

TEST_CASE("no rate is no limit")
{
    pa::detail::rate_limit none(0);
    CHECK(!none.limits());
    CHECK(none.reserve(std::size_t{1} << 40, pa::time_point{1s}) == pa::time_point{1s});
    CHECK(none.reserve(1, pa::time_point{1s}) == pa::time_point{1s});
}

TEST_CASE("a turn is short enough for others to have theirs")
{
    CHECK(pa::detail::rate_limit(1'000'000'000).turn() == 65'536);
    CHECK(pa::detail::rate_limit(1'000'000).turn() == 5'000);
    CHECK(pa::detail::rate_limit(1).turn() == 256);
}
