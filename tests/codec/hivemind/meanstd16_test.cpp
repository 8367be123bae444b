#include <papilio/codec/hivemind/meanstd16.hpp>

#include "codec/hivemind/hivemind_inputs.hpp"

using namespace papilio;
using namespace papilio::codec_testing;
using hivemind::meanstd16;

TEST_CASE("meanstd16 decodes what hivemind sends, and sends what hivemind would")
{
    const meanstd16 codec{.width = 200};
    const auto sent =
        message(golden::meanstd16_halves, golden::meanstd16_means, golden::meanstd16_deviations);
    CHECK(decoded<float>(codec, sent, 600) == floats_of(golden::meanstd16_decoded));

    const auto ours = encoded(codec, golden_heavy(600, 5, 3));
    REQUIRE(ours.size() == sent.size());
    for (std::size_t i = 0; i < 600; ++i)
        CHECK(static_cast<float>(load<f16>(ours.data() + 2 * i)) ==
              Approx(static_cast<float>(load<f16>(sent.data() + 2 * i))).epsilon(0x1p-10));
    for (std::size_t at = 1200; at < sent.size(); at += 4)
        CHECK(load<float>(ours.data() + at) == Approx(load<float>(sent.data() + at)).epsilon(1e-6));
}

TEMPLATE_TEST_CASE("meanstd16 keeps the contract of codecs", "", float, double)
{
    codec_contract<meanstd16, TestType>();
    codec_contract<meanstd16, TestType>(meanstd16{.width = 1});
    check_not_finite<meanstd16>(std::nanf(""));
    check_not_finite<meanstd16>(std::numeric_limits<float>::infinity());
}

TEST_CASE("meanstd16 takes whole rows only")
{
    const meanstd16 codec{.width = 3};
    try {
        encoded(codec, std::vector<float>(7));
        FAIL("encoded a third of a row");
    } catch (const std::system_error& error) {
        CHECK(error.code() == errc::bad_argument);
    }
    CHECK(refuses<float>(codec, std::vector<std::byte>(codec.bound<float>(7)), 7));
    CHECK(codec.bound<float>(6) == 12 + 16);
    CHECK(codec.parameters() != meanstd16{}.parameters());
}

TEST_CASE("meanstd16 refuses means, deviations and elements that are no numbers")
{
    const auto honest = encoded(meanstd16{}, std::vector<float>{1, 2});
    CHECK_FALSE(refuses<float>(meanstd16{}, honest, 2));
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        for (const std::size_t at : {4u, 8u}) {
            auto bytes = honest;
            store(bytes.data() + at, bad);
            CHECK(refuses<float>(meanstd16{}, bytes, 2));
        }
    }
    auto bytes = honest;
    store(bytes.data() + 8, -1.0f);
    CHECK(refuses<float>(meanstd16{}, bytes, 2));
    bytes = honest;
    store(bytes.data(), std::uint16_t{0x7c00});
    CHECK(refuses<float>(meanstd16{}, bytes, 2));
}

TEST_CASE("meanstd16 keeps elements that are all alike, and loses little of normal numbers")
{
    const std::vector<float> alike(100, 0.1f);
    CHECK(decoded<float>(meanstd16{}, encoded(meanstd16{}, alike), 100) == alike);
    CHECK(error_of_normal_numbers<meanstd16>() == Approx(4.3e-8).epsilon(0.05));
}
