#include <papilio/codec/hivemind/blockwise8.hpp>

#include "codec/hivemind/hivemind_inputs.hpp"

using namespace papilio;
using namespace papilio::codec_testing;
using hivemind::blockwise8;

TEST_CASE("blockwise8 sends what hivemind would, and decodes it")
{
    const auto sent = message(count(2), count(256), golden::blockwise8_peaks, golden::dynamic_tree,
                              golden::blockwise8_codes);
    const auto input = golden_heavy(4200, 4);
    CHECK(encoded(blockwise8{}, input) == sent);
    const auto levels = floats_of(golden::dynamic_tree);
    const auto peaks = floats_of(golden::blockwise8_peaks);
    const auto back = decoded<float>(blockwise8{}, sent, 4200);
    for (std::size_t i = 0; i < 4200; ++i)
        REQUIRE(back[i] == levels[golden::blockwise8_codes[i]] * peaks[i / 4096]);
}

TEMPLATE_TEST_CASE("blockwise8 keeps the contract of codecs", "", float, double)
{
    codec_contract<blockwise8, TestType>();
    check_not_finite<blockwise8>(std::nanf(""));
    check_not_finite<blockwise8>(std::numeric_limits<float>::infinity());
}

TEST_CASE("blockwise8 loses what it was designed to lose")
{
    CHECK(error_of_normal_numbers<blockwise8>() == Approx(1.7e-4).epsilon(0.05));
    CHECK(error_of_heavy_tails<blockwise8>() == Approx(3.9e-4).epsilon(0.1));
}

TEST_CASE("blockwise8 checks counts, magnitudes and levels before it uses them")
{
    const auto honest = encoded(blockwise8{}, std::vector<float>{1, 2, 3});
    CHECK_FALSE(refuses<float>(blockwise8{}, honest, 3));
    const auto with = [&](std::size_t at, auto value) {
        auto bytes = honest;
        store(bytes.data() + at, value);
        return bytes;
    };
    constexpr float infinite = std::numeric_limits<float>::infinity();
    CHECK(refuses<float>(blockwise8{}, with(0, std::int64_t{2}), 3));
    CHECK(refuses<float>(blockwise8{}, with(8, std::int64_t{255}), 3));
    CHECK(refuses<float>(blockwise8{}, with(8, std::int64_t{-1}), 3));
    for (const float bad : {-1.0f, infinite, std::nanf("")})
        CHECK(refuses<float>(blockwise8{}, with(16, bad), 3));
    for (const float bad : {infinite, -infinite, std::nanf(""), 3e38f})
        CHECK(refuses<float>(blockwise8{}, with(20 + 4 * 99, bad), 3));
}
