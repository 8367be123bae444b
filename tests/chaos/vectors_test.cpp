#include <chaos/vectors.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace papilio::example::chaos;

namespace {

constexpr std::uint64_t seed = 7;
constexpr std::uint32_t at_round = 3;
constexpr std::size_t elements = 1000;

/// As a reduction computes it: in float, one after the other.
std::vector<float> mean_of(const std::vector<int>& members)
{
    std::vector<float> sum(elements);
    for (const int m : members) {
        const auto given = contribution(seed, m, at_round, elements);
        for (std::size_t i = 0; i < elements; ++i) sum[i] += given[i];
    }
    for (float& x : sum) x /= static_cast<float>(members.size());
    return sum;
}

std::vector<contributed_range> all_of(std::vector<int> members)
{
    return {{0, elements, std::move(members)}};
}

}  // namespace

TEST_CASE("a contribution depends on seed, member and round, and on nothing else", "[vectors]")
{
    const auto one = contribution(1, 2, 3, 100);
    CHECK(one == contribution(1, 2, 3, 100));
    CHECK(one != contribution(2, 2, 3, 100));
    CHECK(one != contribution(1, 3, 3, 100));
    CHECK(one != contribution(1, 2, 4, 100));
    for (const float x : one) CHECK((x >= -1 && x < 1));
}

TEST_CASE("a mean that was computed in floats is right, of however many", "[vectors]")
{
    std::vector<int> members;
    for (int m = 1; m <= 64; ++m) {
        members.push_back(m);
        CHECK(count_wrong(seed, at_round, all_of(members), mean_of(members)) == 0);
    }
}

TEST_CASE("a number that is a little off is wrong, and so is one that is none", "[vectors]")
{
    auto mean = mean_of({1, 2, 3});
    mean[500] += 1e-6f;
    CHECK(count_wrong(seed, at_round, all_of({1, 2, 3}), mean) == 1);
    mean[7] = std::numeric_limits<float>::quiet_NaN();
    CHECK(count_wrong(seed, at_round, all_of({1, 2, 3}), mean) == 2);
}

TEST_CASE("the mean of others than those reported is wrong", "[vectors]")
{
    const auto mean = mean_of({1, 2, 3});
    CHECK(count_wrong(seed, at_round, all_of({1, 2}), mean) > elements * 9 / 10);
    CHECK(count_wrong(seed, at_round, all_of({1, 2, 3, 3}), mean) > elements * 9 / 10);
    CHECK(count_wrong(seed, at_round + 1, all_of({1, 2, 3}), mean) > elements * 9 / 10);
}

TEST_CASE("each range is checked against its own contributors", "[vectors]")
{
    auto mean = mean_of({1, 2, 3});
    const auto rest = mean_of({1, 3});
    std::copy(rest.begin() + 600, rest.end(), mean.begin() + 600);
    CHECK(count_wrong(seed, at_round,
                      std::vector<contributed_range>{{0, 600, {1, 2, 3}}, {600, 400, {1, 3}}},
                      mean) == 0);
}

TEST_CASE("ranges that do not cover the mean make all of it wrong", "[vectors]")
{
    const auto mean = mean_of({1, 2});
    const auto wrong = [&](std::vector<contributed_range> ranges) {
        return count_wrong(seed, at_round, ranges, mean);
    };
    CHECK(wrong({}) == elements);
    CHECK(wrong({{0, 999, {1, 2}}}) == elements);
    CHECK(wrong({{0, 500, {1, 2}}, {501, 499, {1, 2}}}) == elements);
    CHECK(wrong({{500, 500, {1, 2}}, {0, 500, {1, 2}}}) == elements);
    CHECK(wrong({{0, 1001, {1, 2}}}) == elements);
    CHECK(wrong({{0, 1000, {}}}) == elements);
}
