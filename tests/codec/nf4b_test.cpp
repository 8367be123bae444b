#include <papilio/codec/nf4b.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

namespace {

/// The code of the nearest level; of two as near, the lower.
int nearest_level(double value)
{
    int best = 0;
    for (int code = 1; code < 16; ++code)
        if (std::abs(detail::nf4_levels[code] - value) < std::abs(detail::nf4_levels[best] - value))
            best = code;
    return best;
}

}  // namespace

TEMPLATE_TEST_CASE("nf4b keeps the contract of codecs", "", float, double)
{
    codec_contract<nf4b, TestType>();
}

TEST_CASE("nf4b lays out packed codes, the halves of a block side by side, then the scales")
{
    CHECK(nf4b::bound<float>(0) == 0);
    CHECK(nf4b::bound<float>(1) == 3);
    CHECK(nf4b::bound<float>(64) == 34);
    CHECK(nf4b::bound<double>(65) == 37);
    CHECK(encoded(nf4b{}, std::vector<float>{1, 0, -1}) == octets({0x0f, 0x07, 0x80, 0x3f}));
    CHECK(encoded(nf4b{}, std::vector<float>{0, -0.0f}) == octets({0x77, 0, 0}));
}

TEST_CASE("nf4b takes the nearest level and the largest magnitude, rounded up, as scale")
{
    for (const auto& input : finite_inputs(1000)) {
        INFO(input.name);
        const auto values = as<float>(input.values);
        const auto bytes = encoded(nf4b{}, values);
        const auto back = decoded<float>(nf4b{}, bytes, values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto at = i / 64 * 64;
            const auto end = std::min<std::size_t>(at + 64, values.size());
            float peak = 0;
            for (auto k = at; k < end; ++k) peak = std::max(peak, std::abs(values[k]));
            const float scale =
                std::bit_cast<bf16>(load<std::uint16_t>(bytes.data() + 500 + at / 64 * 2));
            if (peak < 0x1p-100f) {
                REQUIRE(scale == 0);
                REQUIRE(back[i] == 0);
                continue;
            }
            REQUIRE((scale >= peak || scale == 0x1.fep127f));
            REQUIRE(static_cast<double>(scale) < static_cast<double>(peak) * (1 + 0x1p-7));
            const double value = static_cast<double>(values[i]) / static_cast<double>(scale);
            const double off = std::abs(static_cast<double>(back[i] / scale) - value);
            const auto nearest = static_cast<double>(detail::nf4_levels[nearest_level(value)]);
            REQUIRE(off <= std::abs(nearest - value) + 1e-6);
        }
    }
}

TEST_CASE("nf4b refuses blocks that it could not have encoded")
{
    CHECK_FALSE(refuses<float>(nf4b{}, octets({0x0f, 0x80, 0x3f}), 1));
    CHECK_FALSE(refuses<float>(nf4b{}, octets({0x00, 0x7f, 0x7f}), 1));
    CHECK(refuses<float>(nf4b{}, octets({0x0e, 0x80, 0x3f}), 1));  // no outermost level
    CHECK(refuses<float>(nf4b{}, octets({0x1f, 0x80, 0x3f}), 1));  // a code beyond the end
    CHECK(refuses<float>(nf4b{}, octets({0x0f, 0x80, 0xbf}), 1));  // a negative scale
    CHECK(refuses<float>(nf4b{}, octets({0x0f, 0x80, 0x7f}), 1));  // an infinite one
    CHECK(refuses<float>(nf4b{}, octets({0x0f, 0x7f, 0x0d}), 1));  // one below 2^-100
    CHECK(refuses<float>(nf4b{}, octets({0x0f, 0, 0}), 1));        // no scale, but a code
}

TEST_CASE("nf4b refuses to encode what is not finite")
{
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()})
        check_not_finite<nf4b>(bad);
}

TEST_CASE("nf4b is exact under powers of two, and as precise as it was designed to be")
{
    check_powers_of_two<nf4b, float>(-90, 120);
    CHECK(error_of_normal_numbers<nf4b>() == Approx(8.5e-3).epsilon(0.05));
    CHECK(error_of_heavy_tails<nf4b>() == Approx(0.015).epsilon(0.05));
}
