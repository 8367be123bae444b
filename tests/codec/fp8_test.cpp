#include <papilio/codec/fp8.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

TEMPLATE_TEST_CASE("fp8 keeps the contract of codecs", "", fp8<e4m3>, fp8<e5m2>)
{
    codec_contract<TestType, float>();
    codec_contract<TestType, double>();
    check_odd_symmetry<TestType, float>();
}

TEST_CASE("fp8 lays out all codes, then one scale per block")
{
    CHECK(fp8<e4m3>::bound<float>(0) == 0);
    CHECK(fp8<e4m3>::bound<float>(1) == 3);
    CHECK(fp8<e5m2>::bound<float>(128) == 130);
    CHECK(fp8<e5m2>::bound<double>(129) == 133);
    // 448 and 57344 are exact, so the scales are 1.
    CHECK(encoded(fp8<e4m3>{}, std::vector<float>{448, -1, 0.015625f}) ==
          octets({0x7e, 0xb8, 0x08, 0x80, 0x3f}));
    CHECK(encoded(fp8<e5m2>{}, std::vector<float>{-57344, 1, 0x1p-14f}) ==
          octets({0xfb, 0x3c, 0x04, 0x80, 0x3f}));
    CHECK(encoded(fp8<e4m3>{}, std::vector<float>{0, -0.0f}) == octets({0, 0, 0, 0}));
}

TEMPLATE_TEST_CASE("fp8 keeps each element within half a step of its format", "", fp8<e4m3>,
                   fp8<e5m2>)
{
    constexpr bool fine = std::is_same_v<TestType, fp8<e4m3>>;
    const double relative = fine ? 0x1p-4 : 0x1p-3, absolute = fine ? 0x1p-10 : 0x1p-17;
    for (const auto& input : finite_inputs(1000)) {
        INFO(input.name);
        const auto values = as<float>(input.values);
        const auto bytes = encoded(TestType{}, values);
        const auto back = decoded<float>(TestType{}, bytes, values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double scale = static_cast<double>(static_cast<float>(
                std::bit_cast<bf16>(load<std::uint16_t>(bytes.data() + 1000 + i / 128 * 2))));
            const double x = values[i];
            if (scale == 0) continue;
            REQUIRE(std::abs(x - static_cast<double>(back[i])) <=
                    std::max(std::abs(x) * relative, absolute * scale) * (1 + 1e-6));
        }
    }
}

TEST_CASE("fp8 refuses blocks that it could not have encoded")
{
    CHECK_FALSE(refuses<float>(fp8<e4m3>{}, octets({0x7e, 0x80, 0x3f}), 1));
    CHECK(refuses<float>(fp8<e4m3>{}, octets({0x7f, 0x80, 0x3f}), 1));  // NaN
    CHECK(refuses<float>(fp8<e4m3>{}, octets({0x7d, 0x80, 0x3f}), 1));  // the largest is missing
    CHECK(refuses<float>(fp8<e5m2>{}, octets({0x7c, 0x80, 0x3f}), 1));  // infinity
    CHECK(refuses<float>(fp8<e4m3>{}, octets({0x7e, 0x80, 0xbf}), 1));  // a negative scale
    CHECK(refuses<float>(fp8<e4m3>{}, octets({0x7e, 0x7f, 0x7f}), 1));  // beyond float's range
    CHECK(refuses<float>(fp8<e4m3>{}, octets({0x7e, 0, 0}), 1));        // no scale, but a code
    CHECK(refuses<float>(fp8<e4m3>{}, octets({0x80, 0, 0}), 1));        // nor the code of -0
    CHECK(refuses<float>(fp8<e4m3>{}, octets({0x7e, 0x80, 0x00}), 1));  // a subnormal scale
}

TEMPLATE_TEST_CASE("fp8 refuses to encode what is not finite", "", fp8<e4m3>, fp8<e5m2>)
{
    check_not_finite<TestType>(std::nanf(""));
    check_not_finite<TestType>(-std::numeric_limits<float>::infinity());
}

TEST_CASE("fp8 is exact under powers of two, and as precise as it was designed to be")
{
    check_powers_of_two<fp8<e4m3>, float>(-90, 110);
    check_powers_of_two<fp8<e5m2>, float>(-90, 110);
    CHECK(error_of_normal_numbers<fp8<e4m3>>() == Approx(6.6e-4).epsilon(0.05));
    CHECK(error_of_heavy_tails<fp8<e4m3>>() == Approx(4.9e-4).epsilon(0.05));
    CHECK(error_of_normal_numbers<fp8<e5m2>>() == Approx(2.6e-3).epsilon(0.05));
    CHECK(error_of_heavy_tails<fp8<e5m2>>() == Approx(2.0e-3).epsilon(0.05));
}
