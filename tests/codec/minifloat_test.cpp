#include <papilio/codec/minifloat.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <cmath>

using namespace papilio;

namespace {

/// By the definition of a float with few bits, in doubles.
template <class Format>
double plain_value(int code)
{
    const int sign_at = Format::exponent_bits + Format::mantissa_bits;
    const int exponent = code >> Format::mantissa_bits & ((1 << Format::exponent_bits) - 1);
    const int mantissa = code & ((1 << Format::mantissa_bits) - 1);
    const int implicit = exponent > 0 ? 1 << Format::mantissa_bits : 0;
    const double magnitude = std::ldexp(
        implicit + mantissa, std::max(exponent, 1) - Format::bias - Format::mantissa_bits);
    return code >> sign_at & 1 ? -magnitude : magnitude;
}

template <class Format>
int nearest(float value)
{
    int best = 0;
    for (int code = 0; code <= Format::largest_code; ++code) {
        const double to_code = std::abs(plain_value<Format>(code) - std::abs(value));
        const double to_best = std::abs(plain_value<Format>(best) - std::abs(value));
        if (to_code < to_best || (to_code == to_best && code % 2 == 0)) best = code;
    }
    const int sign_at = Format::exponent_bits + Format::mantissa_bits;
    return best | (std::signbit(value) ? 1 << sign_at : 0);
}

}  // namespace

TEMPLATE_TEST_CASE("each code is worth what the format's definition says", "", e4m3, e5m2, e2m1)
{
    constexpr int sign_at = TestType::exponent_bits + TestType::mantissa_bits;
    for (int code = 0; code <= TestType::largest_code; ++code) {
        for (const int signed_code : {code, code | 1 << sign_at}) {
            const auto value =
                detail::minifloat_value<TestType>(static_cast<std::uint8_t>(signed_code));
            CHECK(static_cast<double>(value) == plain_value<TestType>(signed_code));
            CHECK(std::signbit(value) == (signed_code != code));
            CHECK(detail::minifloat_code<TestType>(value) == signed_code);
        }
    }
    CHECK(plain_value<TestType>(TestType::largest_code) == TestType::largest);
}

TEMPLATE_TEST_CASE("small floats round to nearest, ties to even, and saturate", "", e4m3, e5m2,
                   e2m1)
{
    papilio::random numbers(1);
    for (int i = 0; i < 20000; ++i) {
        const auto exponent = static_cast<int>(numbers.below(40)) - 24;
        const auto value = static_cast<float>(std::ldexp(numbers.uniform() * 2 - 1, exponent));
        REQUIRE(detail::minifloat_code<TestType>(value) == nearest<TestType>(value));
    }
    for (int code = 0; code < TestType::largest_code; ++code) {
        const auto tie =
            static_cast<float>((plain_value<TestType>(code) + plain_value<TestType>(code + 1)) / 2);
        REQUIRE(detail::minifloat_code<TestType>(tie) == nearest<TestType>(tie));
        REQUIRE(detail::minifloat_code<TestType>(-tie) == nearest<TestType>(-tie));
    }
    CHECK(detail::minifloat_code<TestType>(3e38f) == TestType::largest_code);
    CHECK(detail::minifloat_code<TestType>(1e-40f) == 0);
}
