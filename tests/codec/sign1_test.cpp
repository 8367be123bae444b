#include <papilio/codec/sign1.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

TEMPLATE_TEST_CASE("sign1 keeps the contract of codecs", "", float, double)
{
    codec_contract<sign1, TestType>();
    check_odd_symmetry<sign1, TestType>();
}

TEST_CASE("sign1 lays out one bit per element, then one scale per block")
{
    CHECK(sign1::bound<float>(0) == 0);
    CHECK(sign1::bound<float>(1) == 3);
    CHECK(sign1::bound<float>(512) == 66);
    CHECK(sign1::bound<double>(513) == 69);
    CHECK(encoded(sign1{}, std::vector<float>{2, -1, 0.5f, -0.5f}) == octets({0x0a, 0x80, 0x3f}));
    CHECK(encoded(sign1{}, std::vector<float>{0, -0.0f}) == octets({0, 0, 0}));
}

TEST_CASE("sign1 gives each element the mean magnitude of its block, and its own sign")
{
    for (const auto& input : finite_inputs(1000)) {
        INFO(input.name);
        const auto values = as<float>(input.values);
        const auto back = decoded<float>(sign1{}, encoded(sign1{}, values), values.size());
        for (std::size_t begin = 0; begin < 1000; begin += 512) {
            const auto end = std::min<std::size_t>(begin + 512, 1000);
            double sum = 0;
            for (auto i = begin; i < end; ++i) sum += std::abs(static_cast<double>(values[i]));
            const double mean = sum / static_cast<double>(end - begin);
            for (auto i = begin; i < end; ++i) {
                if (mean < 0x1p-100) {
                    REQUIRE(back[i] == 0);
                } else {
                    REQUIRE(std::signbit(back[i]) == std::signbit(values[i]));
                    REQUIRE(std::abs(std::abs(static_cast<double>(back[i])) - mean) <=
                            mean * 0x1p-8);
                }
            }
        }
    }
}

TEST_CASE("sign1 refuses blocks that it could not have encoded")
{
    CHECK_FALSE(refuses<float>(sign1{}, octets({0x01, 0x80, 0x3f}), 1));
    CHECK(refuses<float>(sign1{}, octets({0x02, 0x80, 0x3f}), 1));  // a bit beyond the end
    CHECK(refuses<float>(sign1{}, octets({0x01, 0x80, 0xbf}), 1));  // a negative scale
    CHECK(refuses<float>(sign1{}, octets({0x01, 0x80, 0x7f}), 1));  // an infinite one
    CHECK(refuses<float>(sign1{}, octets({0x01, 0x80, 0x00}), 1));  // a subnormal one
    CHECK(refuses<float>(sign1{}, octets({0x01, 0, 0}), 1));        // no scale, but a sign
}

TEST_CASE("sign1 refuses to encode what is not finite")
{
    check_not_finite<sign1>(std::nanf(""));
    check_not_finite<sign1>(-std::numeric_limits<float>::infinity());
}

TEST_CASE("sign1 is exact under powers of two, and as precise as a sign can be")
{
    check_powers_of_two<sign1, float>(-90, 120);
    CHECK(error_of_normal_numbers<sign1>() == Approx(0.363).epsilon(0.05));
    CHECK(error_of_heavy_tails<sign1>() == Approx(0.60).epsilon(0.05));
}
