#include <papilio/base/saturate.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace papilio;
using namespace std::chrono_literals;

namespace {

template <class Int>
void check_limits()
{
    using limits = std::numeric_limits<Int>;
    for (const double beyond : {1e300, double(INFINITY), std::ldexp(1.0, limits::digits)})
        CHECK(saturate<Int>(beyond) == limits::max());
    for (const double below : {-1e300, -double(INFINITY)})
        CHECK(saturate<Int>(below) == limits::min());
    CHECK(saturate<Int>(std::nan("")) == 0);
    CHECK(saturate<Int>(2.9) == 2);
    const double largest = std::nextafter(std::ldexp(1.0, limits::digits), 0.0);
    CHECK(static_cast<double>(saturate<Int>(largest)) <= largest);
}

}  // namespace

TEST_CASE("what is beyond an integer's range becomes its limit, and no number becomes 0")
{
    check_limits<std::int64_t>();
    check_limits<std::uint64_t>();
    check_limits<std::int32_t>();
    check_limits<std::uint16_t>();
    CHECK(saturate<int>(-2.9) == -2);
    CHECK(saturate<unsigned>(-2.9) == 0);
}

TEST_CASE("seconds beyond all durations are the longest one")
{
    CHECK(saturated_seconds(1.5) == 1500ms);
    CHECK(saturated_seconds(1e300) == std::chrono::nanoseconds::max());
    CHECK(saturated_seconds(-1e300) == std::chrono::nanoseconds::min());
    CHECK(saturated_seconds(std::nan("")) == 0ns);
}
