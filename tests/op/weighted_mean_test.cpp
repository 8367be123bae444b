#include <papilio/op/weighted_mean.hpp>

#include "contributions.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace papilio;
using namespace papilio::op_testing;

namespace {

// The product is rounded before it is added: `volatile` forbids fusing the two.
template <class T>
std::vector<T> weigh_plainly(const contributions_of<T>& contributions,
                             const std::vector<double>& weights)
{
    using sum_type = accumulator_t<T>;
    std::vector<T> result;
    sum_type total = 0;
    for (const double weight : weights) total += static_cast<sum_type>(weight);
    for (std::size_t i = 0; i < contributions[0].size(); ++i) {
        sum_type reduced = 0;
        for (std::size_t k = 0; k < contributions.size(); ++k) {
            const volatile sum_type weighed =
                static_cast<sum_type>(weights[k]) * static_cast<sum_type>(contributions[k][i]);
            reduced += weighed;
        }
        result.push_back(static_cast<T>(reduced / total));
    }
    return result;
}

}  // namespace

TEMPLATE_TEST_CASE("a weighted mean is sum(w x) / sum(w) in rank order, bit for bit", "", float,
                   double, f16, bf16)
{
    papilio::random numbers(5);
    for (const auto count : delicate_counts) {
        for (const auto size : delicate_sizes) {
            const auto contributions = some_versions<TestType>(count, size);
            std::vector<double> weights(count);
            for (auto& weight : weights) weight = 0.1 + numbers.uniform() * 100;
            CHECK(same_bits(reduce(weighted_mean{}, contributions, weights),
                            weigh_plainly(contributions, weights)));
        }
    }
}

TEST_CASE("weights count by their ratios alone, at any magnitude")
{
    const auto contributions = some_versions<float>(3, 600);
    const auto expected = reduce(weighted_mean{}, contributions, {1, 2, 5});
    CHECK(same_bits(reduce(weighted_mean{}, contributions, {0x1p900, 0x1p901, 0x5p900}), expected));
    constexpr auto tiniest = std::numeric_limits<double>::denorm_min();
    CHECK(same_bits(reduce(weighted_mean{}, contributions, {tiniest, 2 * tiniest, 5 * tiniest}),
                    expected));
}

TEST_CASE("a contribution of zero weight does not count")
{
    const auto result = reduce(weighted_mean{}, contributions_of<float>{{5, -1}, {7, 3}}, {0, 2});
    CHECK(result == std::vector<float>{7, 3});
}

TEST_CASE("the weighted mean of equal small integers is that integer")
{
    CHECK(reduce(weighted_mean{}, contributions_of<float>(3, {9.0f}), {3, 1, 7})[0] == 9);
}

TEST_CASE("unequal weights pull a mean towards the heavier contribution")
{
    CHECK(reduce(weighted_mean{}, contributions_of<double>{{0}, {10}}, {1, 4})[0] == 8);
}
