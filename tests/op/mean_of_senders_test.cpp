#include <papilio/op/mean_of_senders.hpp>

#include "op/versions.hpp"

#include <catch2/catch.hpp>

using namespace papilio;
using namespace papilio::op_testing;

TEST_CASE("a mean of senders divides by how many sent something")
{
    const versions_of<float> versions{{1, 0, 3, 0}, {2, 0, 0, -0.0f}, {6, 5, 0, 0}};
    CHECK(reduce(mean_of_senders{}, versions) == std::vector<float>{3, 5, 3, 0});
}

TEMPLATE_TEST_CASE("a mean of senders adds in rank order", "", float, double, f16, bf16)
{
    using sum_type = accumulator_t<TestType>;
    for (const auto count : delicate_counts) {
        for (const auto size : delicate_sizes) {
            auto versions = some_versions<TestType>(count, size);
            for (std::size_t k = 0; k < count; ++k)
                for (std::size_t i = k; i < size; i += 3) versions[k][i] = TestType(0.0f);
            std::vector<TestType> expected;
            for (std::size_t i = 0; i < size; ++i) {
                sum_type sum = 0, senders = 0;
                for (const auto& version : versions) {
                    const auto x = static_cast<sum_type>(version[i]);
                    if (x != 0) senders += 1;
                    sum += x;
                }
                expected.push_back(static_cast<TestType>(senders > 0 ? sum / senders : 0));
            }
            CHECK(same_bits(reduce(mean_of_senders{}, versions), expected));
        }
    }
}
