#include <papilio/op/reduce_tiles.hpp>

#include "contributions.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>

using namespace papilio;
using namespace papilio::op_testing;

TEST_CASE("a reduction combines from the left, in rank order, and finishes once")
{
    // Digits written one after another show the order: 1, 2, 3 becomes 123.
    for (const auto count : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u}) {
        contributions_of<std::int64_t> contributions;
        std::string digits;
        for (unsigned k = 1; k <= count; ++k) {
            contributions.emplace_back(600, std::int64_t{k});
            digits += std::to_string(k);
        }
        const std::vector<std::span<const std::int64_t>> spans(contributions.begin(),
                                                               contributions.end());
        std::vector<std::int64_t> out(600);
        detail::reduce_tiles(
            std::span<const std::span<const std::int64_t>>(spans), std::span(out),
            [](std::int64_t a, std::int64_t b) { return 10 * a + b; },
            [](std::int64_t x) { return -x; });
        CHECK(out == std::vector<std::int64_t>(600, -std::stoll(digits)));
    }
}

TEST_CASE("a reduction of 16-bit floats takes place in float")
{
    const std::vector<f16> contribution(3, f16(1.0f));
    const std::vector<std::span<const f16>> spans(2, contribution);
    std::vector<f16> out(3);
    detail::reduce_tiles(
        std::span<const std::span<const f16>>(spans), std::span(out),
        [](float a, float b) { return a + b * 0x1p-11f; }, [](float x) { return x - 1; });
    for (const auto x : out) CHECK(x == 0x1p-11f);
}

TEST_CASE("narrow integers wrap without passing through a signed type")
{
    CHECK(detail::add{}(std::int8_t{127}, std::int8_t{1}) == -128);
    CHECK(detail::add{}(std::uint16_t{65535}, std::uint16_t{2}) == 1);
    CHECK(detail::add{}(std::int64_t{1} << 62, std::int64_t{1} << 62) == INT64_MIN);
}
