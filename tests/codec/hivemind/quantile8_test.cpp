#include <papilio/codec/hivemind/quantile8.hpp>

#include "codec/hivemind/hivemind_inputs.hpp"

using namespace papilio;
using namespace papilio::codec_testing;
using hivemind::quantile8;

TEST_CASE("quantile8 decodes what hivemind sends, and sends what hivemind would")
{
    const auto normal = golden_normals(1000, 1), heavy = golden_heavy(1000, 2);
    REQUIRE(
        std::equal(normal.begin(), normal.begin() + 4, floats_of(golden::normal_input).begin()));
    REQUIRE(std::equal(heavy.begin(), heavy.begin() + 4, floats_of(golden::heavy_input).begin()));
    check_golden<quantile8>(normal, golden::quantile8_normal_codebook,
                            golden::quantile8_normal_codes);
    check_golden<quantile8>(heavy, golden::quantile8_heavy_codebook, golden::quantile8_heavy_codes);
}

TEMPLATE_TEST_CASE("quantile8 keeps the contract of codecs", "", float, double)
{
    codec_contract<quantile8, TestType>();
    check_not_finite<quantile8>(std::nanf(""));
    check_not_finite<quantile8>(std::numeric_limits<float>::infinity());
}

TEST_CASE("quantile8 sends one element, or many that are alike, as they are")
{
    for (const std::size_t n : {1u, 2u, 1000u}) {
        const std::vector<float> values(n, 0.1f);
        CHECK(decoded<float>(quantile8{}, encoded(quantile8{}, values), n) == values);
    }
}

TEST_CASE("quantile8 takes the quantiles of chunks' quantiles where a run is long")
{
    const auto ours = encoded(quantile8{}, golden_heavy(250001, 3));
    const auto book = floats_of(golden::quantile8_long_codebook);
    std::vector<std::uint32_t> counts(256);
    for (std::size_t i = 1032; i < ours.size(); ++i)
        ++counts[std::to_integer<std::size_t>(ours[i])];
    for (std::size_t k = 0; k < 256; ++k) {
        CHECK(load<float>(ours.data() + 8 + 4 * k) == Approx(book[k]).epsilon(1e-5));
        CHECK(counts[k] == golden::quantile8_long_counts[k]);
    }
}

TEST_CASE("quantile8 loses what hivemind's loses")
{
    CHECK(error_of_normal_numbers<quantile8>() == Approx(6.7e-4).epsilon(0.02));
    CHECK(error_of_heavy_tails<quantile8>() < 0.090 * 1.15);  // a matter of a few outliers
}

TEST_CASE("quantile8 checks the codebook before it uses it")
{
    const auto honest = encoded(quantile8{}, std::vector<float>{1, 2, 3});
    CHECK_FALSE(refuses<float>(quantile8{}, honest, 3));
    CHECK(refuses<float>(quantile8{}, honest, 4));
    auto bad = honest;
    bad[0] = std::byte{1};  // 257 entries
    CHECK(refuses<float>(quantile8{}, bad, 3));
    bad = honest;
    bad[7] = std::byte{0x80};  // a negative number of them
    CHECK(refuses<float>(quantile8{}, bad, 3));
    for (const float value : {std::nanf(""), -std::numeric_limits<float>::infinity()}) {
        bad = honest;
        store(bad.data() + 8 + 4 * 255, value);
        CHECK(refuses<float>(quantile8{}, bad, 3));
    }
}
