#include <papilio/codec/fp4.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

TEMPLATE_TEST_CASE("fp4 keeps the contract of codecs", "", float, double)
{
    codec_contract<fp4, TestType>();
    check_odd_symmetry<fp4, TestType>();
}

TEST_CASE("fp4 lays out packed codes, then the inner scales, then the outer ones")
{
    CHECK(fp4::bound<float>(0) == 0);
    CHECK(fp4::bound<float>(1) == 4);
    CHECK(fp4::bound<float>(17) == 9 + 2 + 2);
    CHECK(fp4::bound<float>(1024) == 512 + 64 + 2);
    CHECK(fp4::bound<double>(1025) == 513 + 65 + 4);
    // 2688 is the largest inner scale times the largest code: the outer scale is 1.
    CHECK(encoded(fp4{}, std::vector<float>{2688, -448, 672}) ==
          octets({0x37, 0x0a, 0x7e, 0x80, 0x3f}));
    CHECK(encoded(fp4{}, std::vector<float>{0, -0.0f}) == octets({0, 0, 0, 0}));
}

TEST_CASE("fp4 keeps each element within a sixth of the largest beside it")
{
    for (const auto& input : finite_inputs(3000)) {
        INFO(input.name);
        const auto values = as<float>(input.values);
        const auto back = decoded<float>(fp4{}, encoded(fp4{}, values), values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            double near = 0, far = 0;
            for (auto k = i / 16 * 16; k < std::min<std::size_t>(i / 16 * 16 + 16, 3000); ++k)
                near = std::max(near, std::abs(static_cast<double>(values[k])));
            for (auto k = i / 1024 * 1024; k < std::min<std::size_t>(i / 1024 * 1024 + 1024, 3000);
                 ++k)
                far = std::max(far, std::abs(static_cast<double>(values[k])));
            if (far < 0x1p-100) continue;
            // The distance of the largest codes, and of inner scales, where they are subnormal.
            const double step = near / 6 * (1 + 1.0 / 15) + far / 448 * 0x1p-9;
            REQUIRE(std::abs(static_cast<double>(values[i]) - static_cast<double>(back[i])) <=
                    step);
        }
    }
}

TEST_CASE("fp4 refuses blocks that it could not have encoded")
{
    CHECK_FALSE(refuses<float>(fp4{}, octets({0x07, 0x7e, 0x80, 0x3f}), 1));
    CHECK(refuses<float>(fp4{}, octets({0x06, 0x7e, 0x80, 0x3f}), 1));  // no largest code
    CHECK(refuses<float>(fp4{}, octets({0x17, 0x7e, 0x80, 0x3f}), 1));  // a code beyond the end
    CHECK(refuses<float>(fp4{}, octets({0x07, 0x7d, 0x80, 0x3f}), 1));  // no largest scale
    CHECK(refuses<float>(fp4{}, octets({0x07, 0x7f, 0x80, 0x3f}), 1));  // NaN for a scale
    CHECK(refuses<float>(fp4{}, octets({0x07, 0xfe, 0x80, 0x3f}), 1));  // a negative scale
    CHECK(refuses<float>(fp4{}, octets({0x07, 0x7e, 0x80, 0xbf}), 1));
    CHECK(refuses<float>(fp4{}, octets({0x07, 0x7e, 0x7f, 0x7f}), 1));  // beyond float's range
    CHECK(refuses<float>(fp4{}, octets({0x07, 0x7e, 0, 0}), 1));        // no scale, but a code
    CHECK(refuses<float>(fp4{}, octets({0x07, 0, 0, 0}), 1));
}

TEST_CASE("fp4 refuses to encode what is not finite")
{
    check_not_finite<fp4>(std::nanf(""));
    check_not_finite<fp4>(std::numeric_limits<float>::infinity());
}

TEST_CASE("fp4 is exact under powers of two, and as precise as it was designed to be")
{
    check_powers_of_two<fp4, float>(-80, 110);
    CHECK(error_of_normal_numbers<fp4>() == Approx(9.0e-3).epsilon(0.05));
    CHECK(error_of_heavy_tails<fp4>() == Approx(8.1e-3).epsilon(0.05));
}
