#include <papilio/op/mean.hpp>

#include "contributions.hpp"

#include <catch2/catch.hpp>

using namespace papilio;
using namespace papilio::op_testing;

TEMPLATE_TEST_CASE("a mean is the sum in rank order divided by the count, bit for bit", "", float,
                   double, f16, bf16)
{
    for (const auto count : delicate_counts) {
        for (const auto size : delicate_sizes) {
            const auto contributions = some_versions<TestType>(count, size);
            const auto expected = reduce_plainly<TestType>(
                contributions, [](auto a, auto b) { return a + b; },
                [&](auto x) { return x / static_cast<decltype(x)>(count); });
            CHECK(same_bits(reduce(mean{}, contributions), expected));
        }
    }
}

TEST_CASE("a mean knows no weights")
{
    CHECK(reduce(mean{}, contributions_of<float>{{1}, {3}}, {1, 1000})[0] == 2);
}

TEST_CASE("a mean of 16-bit floats may pass beyond their range on the way")
{
    CHECK(reduce(mean{}, contributions_of<f16>{{f16(60000)}, {f16(60000)}})[0] == f16(60000));
}

TEST_CASE("the mean of equal contributions of a small integer is that integer")
{
    for (const auto count : delicate_counts)
        CHECK(reduce(mean{}, contributions_of<float>(count, {3.0f}))[0] == 3);
}
