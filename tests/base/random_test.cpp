#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <random>
#include <set>

using papilio::hash;

TEST_CASE("a seed gives the numbers of splitmix64 and xoshiro256** that other programs get")
{
    // Computed with independent implementations of the published algorithms.
    papilio::random zero(0);
    CHECK(zero() == 0x99ec5f36cb75f2b4);
    CHECK(zero() == 0xbf6e1f784956452a);
    papilio::random other(42);
    CHECK(other() == 0x15780b2e0c2ec716);
}

TEST_CASE("random numbers are the same at compile time")
{
    constexpr auto first = papilio::random(7)();
    CHECK(papilio::random(7)() == first);
    constexpr auto name = hash(1, 2, 3);
    CHECK(hash(1, 2, 3) == name);
}

TEST_CASE("below(n) reaches each number below n about equally often")
{
    papilio::random numbers(1);
    int count[6] = {};
    for (int i = 0; i < 60'000; ++i) ++count[numbers.below(6)];
    for (const int c : count) CHECK(std::abs(c - 10'000) < 500);
    CHECK(numbers.below(1) == 0);
    // Three quarters of all numbers: what is left over must not make the lower ones likelier.
    constexpr auto third = std::uint64_t{1} << 62;
    int thirds[3] = {};
    for (int i = 0; i < 6'000; ++i) ++thirds[numbers.below(3 * third) / third];
    for (const int c : thirds) CHECK(std::abs(c - 2'000) < 200);
}

TEST_CASE("uniform numbers lie in [0, 1) with mean 1/2 and variance 1/12")
{
    papilio::random numbers(2);
    double sum = 0, squares = 0;
    for (int i = 0; i < 100'000; ++i) {
        const double x = numbers.uniform();
        REQUIRE((x >= 0 && x < 1));
        sum += x;
        squares += (x - 0.5) * (x - 0.5);
    }
    CHECK(sum / 100'000 == Approx(0.5).margin(0.005));
    CHECK(squares / 100'000 == Approx(1.0 / 12).margin(0.002));
}

TEST_CASE("normal numbers have mean 0, variance 1 and the tails of the bell")
{
    papilio::random numbers(3);
    double sum = 0, squares = 0;
    int beyond_two = 0;
    for (int i = 0; i < 100'000; ++i) {
        const double x = numbers.normal();
        sum += x;
        squares += x * x;
        if (std::abs(x) > 2) ++beyond_two;
    }
    CHECK(sum / 100'000 == Approx(0).margin(0.015));
    CHECK(squares / 100'000 == Approx(1).margin(0.02));
    CHECK(beyond_two / 100'000.0 == Approx(0.0455).margin(0.004));
}

TEST_CASE("a hash depends on every value and on their order")
{
    std::set<std::uint64_t> seen{hash(0),    hash(1),    hash(0, 0),
                                 hash(0, 1), hash(1, 0), hash(0, 0, 0)};
    CHECK(seen.size() == 6);
    for (std::uint64_t a = 0; a < 100; ++a)
        for (std::uint64_t b = 0; b < 100; ++b) seen.insert(hash(a, b, 9));
    CHECK(seen.size() == 10'006);
}

TEST_CASE("the generator serves the standard library")
{
    static_assert(std::uniform_random_bit_generator<papilio::random>);
    papilio::random numbers(4);
    CHECK(std::uniform_int_distribution(3, 3)(numbers) == 3);
}
