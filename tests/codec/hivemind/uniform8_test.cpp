#include <papilio/codec/hivemind/uniform8.hpp>

#include "codec/hivemind/hivemind_inputs.hpp"

using namespace papilio;
using namespace papilio::codec_testing;
using hivemind::uniform8;

TEST_CASE("uniform8 decodes what hivemind sends, and sends what hivemind would")
{
    const auto normal = golden_normals(1000, 1), heavy = golden_heavy(1000, 2);
    REQUIRE(
        std::equal(normal.begin(), normal.begin() + 4, floats_of(golden::normal_input).begin()));
    REQUIRE(std::equal(heavy.begin(), heavy.begin() + 4, floats_of(golden::heavy_input).begin()));
    check_golden<uniform8>(normal, golden::uniform8_normal_codebook, golden::uniform8_normal_codes);
    check_golden<uniform8>(heavy, golden::uniform8_heavy_codebook, golden::uniform8_heavy_codes);
}

TEMPLATE_TEST_CASE("uniform8 keeps the contract of codecs", "", float, double)
{
    codec_contract<uniform8, TestType>();
    check_not_finite<uniform8>(std::nanf(""));
    check_not_finite<uniform8>(std::numeric_limits<float>::infinity());
}

TEST_CASE("uniform8 sends one element, or many that are alike, as they are")
{
    for (const std::size_t n : {1u, 2u, 1000u}) {
        const std::vector<float> values(n, 0.1f);
        CHECK(decoded<float>(uniform8{}, encoded(uniform8{}, values), n) == values);
    }
}

TEST_CASE("uniform8 loses what hivemind's loses")
{
    CHECK(error_of_normal_numbers<uniform8>() == Approx(2.43e-4).epsilon(0.02));
    CHECK(error_of_heavy_tails<uniform8>() < 0.108 * 1.15);  // a matter of a few outliers
}

TEST_CASE("uniform8 checks the codebook before it uses it")
{
    const auto honest = encoded(uniform8{}, std::vector<float>{1, 2, 3});
    CHECK_FALSE(refuses<float>(uniform8{}, honest, 3));
    CHECK(refuses<float>(uniform8{}, honest, 4));
    auto bad = honest;
    bad[0] = std::byte{1};  // 257 entries
    CHECK(refuses<float>(uniform8{}, bad, 3));
    bad = honest;
    bad[7] = std::byte{0x80};  // a negative number of them
    CHECK(refuses<float>(uniform8{}, bad, 3));
    for (const float value : {std::nanf(""), -std::numeric_limits<float>::infinity()}) {
        bad = honest;
        store(bad.data() + 8 + 4 * 255, value);
        CHECK(refuses<float>(uniform8{}, bad, 3));
    }
}
