#include <papilio/base/short_list.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <numeric>
#include <span>
#include <type_traits>
#include <vector>

namespace pa = papilio;
using list = pa::short_list<double>;

namespace {
std::vector<double> read(std::span<const double> values)
{
    return {values.begin(), values.end()};
}
}  // namespace

TEST_CASE("a short list holds the numbers that it is given in place")
{
    const int n = 3;
    const list some{1, 2.5, n};
    CHECK(read(some) == std::vector<double>{1, 2.5, 3});
    CHECK(some.size() == 3);
    CHECK(some[1] == 2.5);
    CHECK(std::accumulate(some.begin(), some.end(), 0.0) == 6.5);
    const list copy = some;
    CHECK(copy.data() != some.data());
    CHECK(read(copy) == read(some));
    const list none;
    CHECK(none.empty());
    CHECK(read(none).empty());
    const list most{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    CHECK(most.size() == list::most);
    CHECK(most[15] == 16);
}

TEST_CASE("a short list borrows a range that has a name")
{
    std::vector<double> values(40, 1.0);
    const list from_vector = values;
    CHECK(from_vector.data() == values.data());
    CHECK(from_vector.size() == 40);
    const list copy = from_vector;
    values[3] = 7;
    CHECK(copy[3] == 7);
    const std::array<double, 2> two{1, 2};
    CHECK(read(list(two)) == std::vector<double>{1, 2});
    const list from_span = std::span<const double>(values).first(5);
    CHECK(read(from_span) == std::vector<double>{1, 1, 1, 7, 1});
    list named{1, 2};
    const list copy_of_named = named;
    CHECK(copy_of_named.data() != named.data());
}

TEST_CASE("a short list refuses what would be gone, or cut short, by the time it is read")
{
    STATIC_REQUIRE(std::is_trivially_destructible_v<list>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<list>);
    STATIC_REQUIRE(std::is_constructible_v<list, std::vector<double>&>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<list, std::vector<double>>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<list, std::vector<float>&>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<pa::short_list<int>, double>);
    STATIC_REQUIRE(std::is_convertible_v<const list&, std::span<const double>>);
}
