#include <papilio/codec/as_f16.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

TEMPLATE_TEST_CASE("as_f16 keeps the contract of codecs", "", float, double)
{
    codec_contract<as_f16, TestType>();
    check_odd_symmetry<as_f16, TestType>();
}

TEST_CASE("as_f16 stores the nearest f16 in two bytes, little-endian")
{
    CHECK(as_f16::bound<float>(1000) == 2000);
    papilio::random numbers(4);
    std::vector<float> values(1000);
    for (auto& x : values) x = static_cast<float>(numbers.normal());
    const auto bytes = encoded(as_f16{}, values);
    for (std::size_t i = 0; i < values.size(); ++i)
        REQUIRE(load<std::uint16_t>(bytes.data() + 2 * i) == f16(values[i]).bits);
}

TEST_CASE("every f16 passes through as_f16 unchanged")
{
    std::vector<float> values;
    for (unsigned bits = 0; bits < 65536; ++bits)
        values.push_back(std::bit_cast<f16>(static_cast<std::uint16_t>(bits)));
    const auto back = decoded<float>(as_f16{}, encoded(as_f16{}, values), values.size());
    unsigned wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const bool both_nan = std::isnan(values[i]) && std::isnan(back[i]);
        const bool equal = values[i] == back[i] && std::signbit(values[i]) == std::signbit(back[i]);
        if (!both_nan && !equal) ++wrong;
    }
    CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("as_f16 keeps finite numbers finite, infinities infinite and NaN NaN", "", float,
                   double)
{
    constexpr auto most = std::numeric_limits<TestType>::max();
    constexpr auto infinity = std::numeric_limits<TestType>::infinity();
    const std::vector<TestType> values{most, -most, TestType(65520), infinity, -infinity, -NAN};
    const auto back = decoded<TestType>(as_f16{}, encoded(as_f16{}, values), 6);
    CHECK(back[0] == 65504);
    CHECK(back[1] == -65504);
    CHECK(back[2] == 65504);
    CHECK(back[3] == infinity);
    CHECK(back[4] == -infinity);
    CHECK(std::isnan(back[5]));
}

TEST_CASE("as_f16 is exact under powers of two, and as precise as its bits allow")
{
    check_powers_of_two<as_f16, float>(0, 12);
    CHECK(error_of_normal_numbers<as_f16>() == Approx(4.3e-8).epsilon(0.05));
}
