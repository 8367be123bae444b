#include <papilio/codec/hivemind/float16.hpp>

#include "codec/hivemind/hivemind_inputs.hpp"

using namespace papilio;
using namespace papilio::codec_testing;
using hivemind::float16;

TEST_CASE("float16 sends what hivemind would, and decodes it")
{
    const auto input = floats_of(golden::float16_input);
    const auto sent = message(golden::float16_halves);
    CHECK(encoded(float16{}, input) == sent);
    const auto back = decoded<float>(float16{}, sent, input.size());
    for (std::size_t i = 0; i < input.size(); ++i)
        CHECK(back[i] == static_cast<float>(std::bit_cast<f16>(golden::float16_halves[i])));
    CHECK(back[0] == 65504);
}

TEMPLATE_TEST_CASE("float16 keeps the contract of codecs", "", float, double)
{
    codec_contract<float16, TestType>();
    check_odd_symmetry<float16, TestType>();
    check_not_finite<float16>(std::nanf(""));
    check_not_finite<float16>(std::numeric_limits<float>::infinity());
}

TEST_CASE("float16 refuses what is not finite, and loses little of the rest")
{
    CHECK(refuses<float>(float16{}, octets({0x00, 0x7c}), 1));
    CHECK(refuses<float>(float16{}, octets({0x01, 0xfe}), 1));
    CHECK(error_of_normal_numbers<float16>() == Approx(4.3e-8).epsilon(0.05));
}
