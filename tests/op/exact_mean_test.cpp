#include <papilio/op/exact_mean.hpp>

#include "op/contributions.hpp"

#include <papilio/base/error.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/collective/all_reduce.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <optional>

using namespace papilio;
using namespace papilio::op_testing;

namespace {

float half(std::uint64_t bits)
{
    return std::bit_cast<f16>(static_cast<std::uint16_t>(bits));
}

/// Any finite half, of every magnitude.
float some_half(papilio::random& numbers)
{
    return half(numbers.below(2) << 15 | numbers.below(0x7c00));
}

/// `sum / total`, in units of 2^-24, by the definition: the nearest half, the even one of two.
/// Found by looking at all halves' distances, as fractions over `total`.
float nearest_half(std::int64_t sum, std::int64_t total)
{
    std::uint16_t best = 0;
    std::optional<std::int64_t> least;
    const std::int64_t magnitude = sum < 0 ? -sum : sum;
    for (std::uint16_t bits = 0; bits < 0x7c00; ++bits) {
        const auto units =
            static_cast<std::int64_t>(std::ldexp(static_cast<double>(half(bits)), 24));
        const auto off =
            units * total > magnitude ? units * total - magnitude : magnitude - units * total;
        if (least && (off > *least || (off == *least && bits % 2 == 1))) continue;
        least = off;
        best = bits;
    }
    return sum < 0 ? -half(best) : half(best);
}

contributions_of<float> some_halves(std::size_t count, std::size_t size, std::uint64_t seed)
{
    papilio::random numbers(seed);
    contributions_of<float> contributions(count, std::vector<float>(size));
    for (auto& contribution : contributions)
        for (auto& x : contribution) x = some_half(numbers);
    return contributions;
}

}  // namespace

TEST_CASE("an exact mean is the nearest half to the mean of halves, by whole weights")
{
    papilio::random numbers(1);
    for (int round = 0; round < 40; ++round) {
        const auto count = 1 + numbers.below(6);
        const auto contributions = some_halves(count, 4, numbers());
        std::vector<double> weights;
        for (std::size_t k = 0; k < count; ++k)
            weights.push_back(static_cast<double>(1 + numbers.below(round % 2 == 0 ? 3 : 600'000)));
        const auto mean = reduce(exact_mean{}, contributions, weights);
        for (std::size_t i = 0; i < 4; ++i) {
            std::int64_t sum = 0, total = 0;
            for (std::size_t k = 0; k < count; ++k) {
                const auto units = std::ldexp(static_cast<double>(contributions[k][i]), 24);
                sum += static_cast<std::int64_t>(units) * static_cast<std::int64_t>(weights[k]);
                total += static_cast<std::int64_t>(weights[k]);
            }
            const float expected = nearest_half(sum, total);
            CHECK(mean[i] == expected);
        }
    }
}

TEST_CASE("an exact mean of one contribution, or of many that are alike, is that contribution")
{
    contributions_of<float> contributions(1);
    for (std::uint64_t bits = 0; bits < 0x7c00; ++bits) {
        contributions[0].push_back(half(bits));
        contributions[0].push_back(-half(bits));
    }
    CHECK(reduce(exact_mean{}, contributions) == contributions[0]);
    CHECK(reduce(exact_mean{}, contributions, {0x1p22}) == contributions[0]);
    for (int k = 0; k < 6; ++k) contributions.push_back(contributions[0]);
    CHECK(reduce(exact_mean{}, contributions) == contributions[0]);
    CHECK(reduce(exact_mean{}, contributions, {1, 2, 3, 4, 5, 6, 1000}) == contributions[0]);
}

TEMPLATE_TEST_CASE("an exact mean has the same bits in any order of contributions", "", float,
                   double, f16)
{
    papilio::random numbers(2);
    contributions_of<TestType> contributions(64, std::vector<TestType>(2000));
    for (auto& contribution : contributions)
        for (auto& x : contribution) x = static_cast<TestType>(some_half(numbers));
    std::vector<double> weights(64);
    for (auto& weight : weights) weight = static_cast<double>(1 + numbers.below(65'536));
    const auto expected = reduce(exact_mean{}, contributions, weights);
    for (int round = 0; round < 10; ++round) {
        for (std::size_t k = contributions.size(); k > 1; --k) {
            const auto other = numbers.below(k);
            std::swap(contributions[k - 1], contributions[other]);
            std::swap(weights[k - 1], weights[other]);
        }
        REQUIRE(same_bits(reduce(exact_mean{}, contributions, weights), expected));
    }
}

TEST_CASE("an exact mean rounds to even where the mean lies between two halves")
{
    const contributions_of<float> contributions{
        {1, 1 + 0x1p-10f, 0x1p-24f, -0x1p-24f, 2048, 65504},
        {1 + 0x1p-10f, 1 + 0x1p-9f, 0, -0x1p-23f, 2050, 65472}};
    CHECK(reduce(exact_mean{}, contributions) ==
          std::vector<float>{1, 1 + 0x1p-9f, 0, -0x1p-23f, 2048, 65472});
}

TEST_CASE("an exact mean rounds what no half can hold, and passes on what is no number")
{
    const float infinity = std::numeric_limits<float>::infinity();
    const contributions_of<float> contributions{{0x1.8p-25f, 1e9f, infinity, 1},
                                                {0x1.8p-25f, 1e9f, 1, std::nanf("")}};
    const auto mean = reduce(exact_mean{}, contributions);
    CHECK(mean[0] == 0x1p-24f);
    CHECK(mean[1] == 65504);
    CHECK(std::isnan(mean[2]));
    CHECK(std::isnan(mean[3]));
}

TEST_CASE("an exact mean takes whole weights that add up to 2^22 at most")
{
    const auto contributions = some_halves(2, 3, 3);
    CHECK_NOTHROW(reduce(exact_mean{}, contributions, {0x1p22 - 1, 1}));
    for (const std::vector<double>& weights :
         {std::vector{0x1p22, 1.0}, {0.5, 1.0}, {1.0, 1.5}, {0x1p40, 1.0}}) {
        try {
            reduce(exact_mean{}, contributions, weights);
            FAIL("reduced");
        } catch (const std::system_error& error) {
            CHECK(error.code() == errc::bad_argument);
        }
    }
    const contributions_of<float> largest(2, std::vector<float>(3, 65504.0f));
    CHECK(reduce(exact_mean{}, largest, {0x1p22 - 1, 1}) == largest[0]);
}

TEST_CASE("peers in any order end with the same bits of an exact mean")
{
    constexpr std::size_t peers = 7, count = 20'011;
    const auto data = some_halves(peers, count, 4);
    const std::vector<double> weights{1, 5, 1000, 2, 77, 31, 4096};
    std::vector<float> expected;
    for (std::size_t shift = 0; shift < peers; ++shift) {
        test::sim_cluster cluster(peers, {.seed = shift});
        contributions_of<float> out(peers, std::vector<float>(count));
        cluster.run([&](auto& net) -> task<> {
            const auto rank = static_cast<std::size_t>(net.rank());
            const auto who = (3 * rank + shift) % peers;
            call_options options{.weight = weights[who]};
            co_await all_reduce(net, data[who], out[rank], exact_mean{}, as_f16{}, options);
        });
        if (expected.empty()) expected = out[0];
        for (const auto& mine : out) REQUIRE(same_bits(mine, expected));
    }
    CHECK(same_bits(expected, reduce(exact_mean{}, data, weights)));
}

TEST_CASE("a call whose weights are not whole numbers fails for everybody")
{
    test::sim_cluster cluster(3);
    int failed = 0;
    cluster.run([&](auto& net) -> task<> {
        const std::vector<float> in(1000, 1.0f);
        std::vector<float> out(1000);
        call_options options{.weight = net.rank() == 1 ? 1.5 : 1.0};
        try {
            co_await all_reduce(net, in, out, exact_mean{}, as_f16{}, options);
        } catch (const std::system_error&) {
            ++failed;
        }
    });
    CHECK(failed == 3);
}
