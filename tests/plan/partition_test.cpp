#include <papilio/plan/partition.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <limits>

using namespace papilio;

namespace {

std::vector<std::size_t> sizes(const std::vector<part>& parts)
{
    std::vector<std::size_t> result;
    for (const auto& p : parts) result.push_back(p.size);
    return result;
}

std::vector<std::size_t> cut(std::size_t count, const std::vector<double>& shares)
{
    return sizes(partition(count, shares));
}

using many = std::vector<std::size_t>;

// The property that everything else relies on.
void check_cover(const std::vector<part>& parts, std::size_t count)
{
    std::size_t end = 0;
    for (const auto& p : parts) {
        REQUIRE(p.begin == end);
        end = p.end();
    }
    REQUIRE(end == count);
}

bool is_bad_argument(const std::vector<double>& shares)
{
    try {
        partition(10, shares);
    } catch (const std::system_error& error) {
        return error.code() == errc::bad_argument;
    }
    return false;
}

}  // namespace

TEST_CASE("equal parts differ by at most one element, and the first ones are larger")
{
    CHECK(partition(10, 3) == std::vector<part>{{0, 4}, {4, 3}, {7, 3}});
    CHECK(sizes(partition(2, 4)) == many{1, 1, 0, 0});
    CHECK(sizes(partition(0, 2)) == many{0, 0});
    CHECK(sizes(partition(9, 1)) == many{9});
    CHECK_THROWS_WITH(partition(9, 0),
                      Catch::Contains("the number of parts is at least 1: it is 0"));
}

TEST_CASE("equal shares cut like equal parts")
{
    for (std::size_t count : {0u, 1u, 6u, 7u, 8u, 1000u, 1'000'003u})
        for (std::size_t n = 1; n <= 9; ++n)
            CHECK(partition(count, std::vector<double>(n, 0.3)) == partition(count, n));
}

TEST_CASE("parts are proportional to shares")
{
    CHECK(cut(100, {1, 2, 1}) == many{25, 50, 25});
    CHECK(cut(1000, {0.1, 0.2, 0.7}) == many{100, 200, 700});
    CHECK(cut(1, {1, 3}) == many{0, 1});
}

TEST_CASE("the largest remainders are rounded up, equal ones from the lowest index on")
{
    CHECK(cut(10, {1, 1, 1}) == many{4, 3, 3});
    CHECK(cut(2, {1, 1, 1, 1}) == many{1, 1, 0, 0});
    CHECK(cut(7, {3, 1, 1}) == many{4, 2, 1});  // quotas 4.2, 1.4, 1.4
    CHECK(cut(3, {5, 6, 7}) == many{1, 1, 1});  // quotas 0.83, 1, 1.17
}

TEST_CASE("a zero share owns nothing")
{
    CHECK(cut(10, {0, 1, 0, 1}) == many{0, 5, 0, 5});
    CHECK(cut(1, {0, 1, 1, 0}) == many{0, 1, 0, 0});
    CHECK(cut(3, {0, 5}) == many{0, 3});
    CHECK(partition(3, std::vector<double>{0, 5, 0})[2] == part{3, 0});
}

TEST_CASE("sizes add up exactly for counts that doubles can hardly count")
{
    constexpr std::size_t huge = std::size_t{1} << 53;
    CHECK(cut(huge, {1, 1, 1}) == many{huge / 3 + 1, huge / 3 + 1, huge / 3});
    CHECK(cut(huge - 1, {1, 3}) == many{huge / 4, huge / 4 * 3 - 1});
    CHECK(cut(~std::size_t{0}, {1, 1}) == many{std::size_t{1} << 63, (std::size_t{1} << 63) - 1});
}

TEST_CASE("only the ratios of shares matter, at any magnitude")
{
    constexpr auto tiniest = std::numeric_limits<double>::denorm_min();
    constexpr auto largest = std::numeric_limits<double>::max();
    CHECK(cut(90, {tiniest, 2 * tiniest}) == many{30, 60});
    CHECK(cut(90, {largest / 2, largest}) == many{30, 60});
    CHECK(cut(90, {largest, largest, largest}) == many{30, 30, 30});
    CHECK(cut(90, {largest, tiniest}) == many{90, 0});
    CHECK(cut(1000, {1e-12, 1}) == many{0, 1000});
}

TEST_CASE("shares that mean nothing are refused")
{
    CHECK(is_bad_argument({}));
    CHECK(is_bad_argument({0, 0}));
    CHECK(is_bad_argument({1, -1}));
    CHECK(is_bad_argument({1, NAN}));
    CHECK(is_bad_argument({NAN, 1}));
    CHECK(is_bad_argument({INFINITY, 1}));
}

TEST_CASE("each part is its exact quota rounded down or up")
{
    papilio::random numbers(1);
    for (int round = 0; round < 2000; ++round) {
        const auto n = 1 + numbers.below(20);
        const auto count = numbers.below(std::uint64_t{1} << numbers.below(40));
        // Small integers, so that the quota can be computed here without rounding.
        std::vector<double> shares;
        std::uint64_t total = 0;
        for (std::uint64_t i = 0; i < n; ++i) {
            shares.push_back(static_cast<double>(numbers.below(1000)));
            total += static_cast<std::uint64_t>(shares.back());
        }
        if (total == 0) continue;
        const auto parts = partition(count, shares);
        check_cover(parts, count);
        for (std::size_t i = 0; i < n; ++i) {
            const auto quota = count * static_cast<std::uint64_t>(shares[i]);
            REQUIRE(parts[i].size >= quota / total);
            REQUIRE(parts[i].size <= (quota + total - 1) / total);
        }
    }
}

TEST_CASE("shares as bandwidths are measured cover any count")
{
    papilio::random numbers(2);
    for (int round = 0; round < 2000; ++round) {
        std::vector<double> shares(1 + numbers.below(300));
        for (auto& share : shares) share = std::exp2(40 * numbers.uniform());
        const auto count = numbers() >> numbers.below(64);
        check_cover(partition(count, shares), count);
    }
}
