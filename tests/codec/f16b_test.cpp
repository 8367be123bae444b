#include <papilio/codec/f16b.hpp>

#include "contract/codec_contract.hpp"

#include <papilio/codec/as_f16.hpp>

using namespace papilio;
using namespace papilio::codec_testing;

TEMPLATE_TEST_CASE("f16b keeps the contract of codecs", "", float, double)
{
    codec_contract<f16b, TestType>();
    check_odd_symmetry<f16b, TestType>();
    check_not_finite<f16b>(std::nanf(""));
    check_not_finite<f16b>(-std::numeric_limits<float>::infinity());
}

TEST_CASE("f16b is as_f16 under a power of two, whatever that is")
{
    papilio::random numbers(1);
    std::vector<float> values(1000);
    for (auto& x : values) x = static_cast<float>(numbers.normal());
    CHECK(decoded<float>(f16b{}, encoded(f16b{}, values), 1000) ==
          decoded<float>(as_f16{}, encoded(as_f16{}, values), 1000));
    check_powers_of_two<f16b, float>(-90, 120);
    CHECK(error_of_normal_numbers<f16b>() == Approx(4.3e-8).epsilon(0.05));
    for (auto& x : values) x *= 1e-30f;
    CHECK(relative_error(f16b{}, values) < 5e-8);
    CHECK(relative_error(as_f16{}, values) == 1);
}

TEST_CASE("f16b's bytes are halves, then a scale per block")
{
    CHECK(encoded(f16b{}, std::vector<float>{1, -0.5f, 3}) ==
          octets({0x00, 0x6c, 0x00, 0xe8, 0x00, 0x72, 0x80, 0x39}));
    CHECK(encoded(f16b{}, std::vector<float>{1e-31f}) == octets({0, 0, 0, 0}));
    const float largest = std::numeric_limits<float>::max();
    CHECK(encoded(f16b{}, std::vector<float>{largest}) == octets({0xff, 0x73, 0x80, 0x78}));
}

TEST_CASE("f16b refuses blocks that nobody could have written")
{
    CHECK(!refuses<float>(f16b{}, octets({0x00, 0x70, 0x80, 0x39}), 1));
    CHECK(!refuses<float>(f16b{}, octets({0x00, 0x74, 0x80, 0x39}), 1));  // rounded up
    CHECK(refuses<float>(f16b{}, octets({0x01, 0x74, 0x80, 0x39}), 1));   // beyond that
    CHECK(refuses<float>(f16b{}, octets({0xff, 0x6f, 0x80, 0x39}), 1));   // a scale too large
    CHECK(refuses<float>(f16b{}, octets({0x00, 0x7c, 0x80, 0x39}), 1));   // an infinity
    CHECK(refuses<float>(f16b{}, octets({0x00, 0x70, 0x81, 0x39}), 1));   // no power of two
    CHECK(refuses<float>(f16b{}, octets({0x00, 0x70, 0x80, 0xb9}), 1));   // negative
    CHECK(refuses<float>(f16b{}, octets({0x00, 0x70, 0x80, 0x06}), 1));   // below 2^-113
    CHECK(refuses<float>(f16b{}, octets({0x00, 0x70, 0x00, 0x79}), 1));   // products beyond float
    CHECK(refuses<float>(f16b{}, octets({0x00, 0x74, 0x80, 0x78}), 1));
    CHECK(refuses<float>(f16b{}, octets({0x01, 0x00, 0x00, 0x00}), 1));  // under a zero scale
    CHECK(refuses<float>(f16b{}, octets({0x00, 0x80, 0x00, 0x00}), 1));  // minus zero
}
