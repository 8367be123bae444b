#include <papilio/op/sum.hpp>

#include "contributions.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

using namespace papilio;
using namespace papilio::op_testing;

TEMPLATE_TEST_CASE("a sum equals plain addition in rank order bit for bit", "", float, double, f16,
                   bf16)
{
    for (const auto count : delicate_counts) {
        for (const auto size : delicate_sizes) {
            const auto contributions = some_versions<TestType>(count, size);
            const auto expected = reduce_plainly<TestType>(
                contributions, [](auto a, auto b) { return a + b; }, [](auto x) { return x; });
            CHECK(same_bits(reduce(sum{}, contributions), expected));
        }
    }
}

TEMPLATE_TEST_CASE("a sum of integers wraps around", "", std::int8_t, std::int16_t, std::int32_t,
                   std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t)
{
    for (const auto size : delicate_sizes) {
        const auto contributions = some_versions<TestType>(5, size);
        std::vector<TestType> expected;
        for (std::size_t i = 0; i < size; ++i) {
            std::uint64_t total = 0;
            for (const auto& contribution : contributions)
                total += static_cast<std::uint64_t>(contribution[i]);
            expected.push_back(static_cast<TestType>(total));
        }
        CHECK(reduce(sum{}, contributions) == expected);
    }
}

TEST_CASE("16-bit floats are added up in float and rounded once")
{
    // In f16, 2048 + 1 is 2048 again, however often.
    const contributions_of<f16> contributions{{f16(2048)}, {f16(1)}, {f16(1)}, {f16(1)}};
    CHECK(reduce(sum{}, contributions)[0] == 2052.0f);
    const contributions_of<f16> high{{f16(60000)}, {f16(60000)}, {f16(-60000)}};
    CHECK(reduce(sum{}, high)[0].bits == f16(60000).bits);
}

TEST_CASE("the order of ranks decides how a sum rounds")
{
    CHECK(reduce(sum{}, contributions_of<float>{{1e8f}, {1}, {-1e8f}})[0] == 0);
    CHECK(reduce(sum{}, contributions_of<float>{{1e8f}, {-1e8f}, {1}})[0] == 1);
}

TEST_CASE("a sum of one contribution is that contribution")
{
    const auto contributions = some_versions<float>(1, 1000);
    CHECK(same_bits(reduce(sum{}, contributions), contributions[0]));
}

TEST_CASE("infinities and NaN pass through a sum")
{
    const auto result =
        reduce(sum{}, contributions_of<float>{{INFINITY, INFINITY, 1}, {1, -INFINITY, NAN}});
    CHECK(result[0] == INFINITY);
    CHECK(std::isnan(result[1]));
    CHECK(std::isnan(result[2]));
}

TEST_CASE("cutting into chunks changes no bit of a sum")
{
    const auto contributions = some_versions<float>(7, 3000);
    const auto whole = reduce(sum{}, contributions);
    for (std::size_t cut : {1u, 511u, 512u, 1000u, 2999u}) {
        contributions_of<float> head, tail;
        for (const auto& v : contributions) {
            const auto middle = v.begin() + static_cast<std::ptrdiff_t>(cut);
            head.emplace_back(v.begin(), middle);
            tail.emplace_back(middle, v.end());
        }
        auto pieces = reduce(sum{}, head);
        const auto rest = reduce(sum{}, tail);
        pieces.insert(pieces.end(), rest.begin(), rest.end());
        CHECK(same_bits(pieces, whole));
    }
}
