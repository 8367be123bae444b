#include <papilio/op/prod.hpp>

#include "contributions.hpp"

#include <catch2/catch.hpp>

#include <cstdint>

using namespace papilio;
using namespace papilio::op_testing;

TEMPLATE_TEST_CASE("a product equals plain multiplication in rank order bit for bit", "", float,
                   double, f16, bf16)
{
    for (const auto count : delicate_counts) {
        for (const auto size : delicate_sizes) {
            const auto contributions = some_versions<TestType>(count, size);
            const auto expected = reduce_plainly<TestType>(
                contributions, [](auto a, auto b) { return a * b; }, [](auto x) { return x; });
            CHECK(same_bits(reduce(prod{}, contributions), expected));
        }
    }
}

TEMPLATE_TEST_CASE("a product of integers wraps around", "", std::int8_t, std::int16_t,
                   std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t,
                   std::uint64_t)
{
    for (const auto size : delicate_sizes) {
        const auto contributions = some_versions<TestType>(5, size);
        std::vector<TestType> expected;
        for (std::size_t i = 0; i < size; ++i) {
            std::uint64_t product = 1;
            for (const auto& contribution : contributions)
                product *= static_cast<std::uint64_t>(contribution[i]);
            expected.push_back(static_cast<TestType>(product));
        }
        CHECK(reduce(prod{}, contributions) == expected);
    }
}
