#include <papilio/codec/largest.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <system_error>
#include <vector>

using namespace papilio;

namespace {

std::vector<std::uint16_t> by_sorting(const std::vector<float>& values, std::size_t k)
{
    std::vector<std::uint16_t> places(values.size());
    std::iota(places.begin(), places.end(), std::uint16_t{0});
    std::sort(places.begin(), places.end(), [&](auto a, auto b) {
        const float x = std::abs(values[a]), y = std::abs(values[b]);
        return x > y || (x == y && a < b);
    });
    places.resize(k);
    std::sort(places.begin(), places.end());
    return places;
}

template <std::size_t K, std::size_t Chunk>
void check_largest(const std::vector<float>& values, std::size_t k = K)
{
    const auto largest = std::make_unique<detail::largest<K, Chunk>>();
    std::vector<std::uint16_t> places(k);
    largest->find(values.data(), k, places.data());
    REQUIRE(places == by_sorting(values, k));
}

template <std::size_t K, std::size_t Chunk>
void check_all()
{
    papilio::random numbers(K);
    std::vector<float> values(Chunk);
    const auto fill = [&](auto make) {
        for (std::size_t i = 0; i < Chunk; ++i) values[i] = static_cast<float>(make(i));
        check_largest<K, Chunk>(values);
        check_largest<K, Chunk>(values, 1);
    };
    for (int round = 0; round < 20; ++round) fill([&](auto) { return numbers.normal(); });
    fill([](auto) { return 0.0; });
    fill([](auto) { return -1.5; });
    fill([](auto i) { return static_cast<double>(i); });
    fill([](auto i) { return -static_cast<double>(Chunk - i); });
    fill([&](auto) { return static_cast<double>(numbers.below(3)); });
    fill([&](auto) { return static_cast<double>(numbers.below(2)) * 1e-42; });
    fill([&](auto i) { return i == Chunk / 2 ? 3e38 : 1e-30; });
    fill([&](auto) {
        return std::ldexp(numbers.uniform(), static_cast<int>(numbers.below(250)) - 140);
    });
    // The largest all in one group, and where ties meet the border.
    fill(
        [&](auto i) { return i % (Chunk / 16) == 3 ? 10 + numbers.uniform() : numbers.uniform(); });
    fill([&](auto i) { return i % 5 == 0 ? 2.0 : i % 3 == 0 ? 1.0 : 0.0; });
}

}  // namespace

TEST_CASE("the largest magnitudes are those that sorting finds, and of equals the first")
{
    check_all<1, 64>();
    check_all<64, 64>();
    check_all<7, 256>();
    check_all<64, 4096>();
    check_all<128, 4096>();
    check_all<410, 4096>();
    check_all<3000, 4096>();
}

TEST_CASE("a chunk with a number that is not finite is refused wherever it stands")
{
    for (const float bad : {std::nanf(""), -std::numeric_limits<float>::infinity()}) {
        for (const std::size_t at : {0u, 255u, 256u, 2000u, 4095u}) {
            std::vector<float> values(4096, 1.0f);
            values[at] = bad;
            const auto largest = std::make_unique<detail::largest<64, 4096>>();
            std::uint16_t places[64];
            CHECK_THROWS_AS(largest->find(values.data(), 64, places), std::system_error);
        }
    }
}
