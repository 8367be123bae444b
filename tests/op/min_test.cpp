#include <papilio/op/min.hpp>

#include "contributions.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

using namespace papilio;
using namespace papilio::op_testing;

TEMPLATE_TEST_CASE("the min is the smallest contribution of each element", "", float, double, f16,
                   bf16, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t,
                   std::uint16_t, std::uint32_t, std::uint64_t)
{
    for (const auto count : delicate_counts) {
        for (const auto size : delicate_sizes) {
            const auto contributions = some_versions<TestType>(count, size);
            const auto expected = reduce_plainly<TestType>(
                contributions, [](auto a, auto b) { return std::min(a, b); },
                [](auto x) { return x; });
            CHECK(same_bits(reduce(papilio::min{}, contributions), expected));
        }
    }
}

TEST_CASE("one NaN makes the min a NaN, at whatever rank it is")
{
    for (std::size_t rank = 0; rank < 6; ++rank) {
        contributions_of<float> contributions(6, std::vector<float>(600, 1.0f));
        contributions[rank][3] = NAN;
        contributions[rank][599] = -NAN;
        const auto result = reduce(papilio::min{}, contributions);
        CHECK(std::isnan(result[3]));
        CHECK(std::isnan(result[599]));
        CHECK(result[4] == 1);
    }
}

TEST_CASE("among zeros the min keeps the sign of the lowest rank's")
{
    const auto result =
        reduce(papilio::min{}, contributions_of<float>{{0.0f, -0.0f}, {-0.0f, 0.0f}});
    CHECK(!std::signbit(result[0]));
    CHECK(std::signbit(result[1]));
}

TEST_CASE("infinities count in a min")
{
    const auto result =
        reduce(papilio::min{}, contributions_of<float>{{1, 1}, {INFINITY, -INFINITY}});
    CHECK(result == std::vector<float>{1, -INFINITY});
}
