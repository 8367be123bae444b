#include <papilio/base/float16.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace papilio;

namespace {

// What a number with so many significant bits and such exponents can hold, by the definition of
// IEEE 754 rather than by its bit patterns.
struct format {
    int significant_bits;
    int smallest_exponent;
    double largest;
};

constexpr format binary16{11, -14, 65504};
constexpr format upper_half{8, -126, 0x1.fep127};

double rounded(double x, format to)
{
    if (x == 0 || !std::isfinite(x)) return x;
    const int exponent = std::max(std::ilogb(x), to.smallest_exponent);
    const double last_place = std::ldexp(1, exponent - to.significant_bits + 1);
    const double result = std::nearbyint(x / last_place) * last_place;
    return std::abs(result) > to.largest ? std::copysign(INFINITY, x) : result;
}

double value_of(unsigned bits, int mantissa_bits, int bias)
{
    const int exponent_mask = (1 << (15 - mantissa_bits)) - 1;
    const int exponent = static_cast<int>(bits >> mantissa_bits) & exponent_mask;
    const double mantissa = bits & ((1u << mantissa_bits) - 1);
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    if (exponent == exponent_mask) return mantissa == 0 ? sign * INFINITY : NAN;
    const double significand = mantissa + (exponent == 0 ? 0 : 1 << mantissa_bits);
    return sign * std::ldexp(significand, std::max(exponent, 1) - bias - mantissa_bits);
}

bool same(double a, double b)
{
    return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

template <class Half>
Half from_bits(unsigned bits)
{
    return std::bit_cast<Half>(static_cast<std::uint16_t>(bits));
}

// The numbers around which rounding goes wrong: all values, and all halfway points, with
// neighbours.
template <class Half>
std::vector<float> delicate_numbers()
{
    std::vector<float> result;
    for (unsigned bits = 0; bits < 65536; ++bits) {
        const float here = from_bits<Half>(bits);
        const float next = from_bits<Half>(bits + 1);
        const float middle = here / 2 + next / 2;
        for (const float x : {here, middle}) {
            result.push_back(x);
            result.push_back(std::nextafter(x, -INFINITY));
            result.push_back(std::nextafter(x, INFINITY));
        }
    }
    papilio::random numbers(1);
    for (int i = 0; i < 1'000'000; ++i)
        result.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(numbers())));
    return result;
}

template <class Half>
unsigned wrong_roundings(format to)
{
    unsigned wrong = 0;
    for (const float x : delicate_numbers<Half>())
        if (!same(Half(x), rounded(x, to))) ++wrong;
    return wrong;
}

}  // namespace

TEST_CASE("every f16 has the value that IEEE 754 gives its bits")
{
    unsigned wrong = 0;
    for (unsigned bits = 0; bits < 65536; ++bits)
        if (!same(from_bits<f16>(bits), value_of(bits, 10, 15))) ++wrong;
    CHECK(wrong == 0);
}

TEST_CASE("every bf16 has the value of the float that it begins")
{
    unsigned wrong = 0;
    for (unsigned bits = 0; bits < 65536; ++bits)
        if (!same(from_bits<bf16>(bits), value_of(bits, 7, 127))) ++wrong;
    CHECK(wrong == 0);
}

TEST_CASE("every 16-bit float survives the way to float and back")
{
    unsigned wrong = 0;
    for (unsigned bits = 0; bits < 65536; ++bits) {
        const auto half = from_bits<f16>(bits);
        const auto brain = from_bits<bf16>(bits);
        if (f16(float{half}).bits != (std::isnan(float{half}) ? bits | 0x200 : bits)) ++wrong;
        if (bf16(float{brain}).bits != (std::isnan(float{brain}) ? bits | 0x40 : bits)) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("a float is rounded to the nearest 16-bit float, ties to even")
{
    CHECK(wrong_roundings<f16>(binary16) == 0);
    CHECK(wrong_roundings<bf16>(upper_half) == 0);
}

TEST_CASE("what a 16-bit float cannot hold becomes infinite or zero with its sign")
{
    CHECK(f16(65519.0f).bits == 0x7bff);
    CHECK(f16(65520.0f).bits == 0x7c00);
    CHECK(f16(-1e30f).bits == 0xfc00);
    CHECK(f16(0x1p-25f).bits == 0);
    CHECK(f16(0x1.000002p-25f).bits == 1);
    CHECK(f16(-0x1p-26f).bits == 0x8000);
    CHECK(bf16(std::numeric_limits<float>::max()).bits == 0x7f80);
    CHECK(bf16(-std::numeric_limits<float>::denorm_min()).bits == 0x8000);
}

TEST_CASE("a NaN stays a quiet NaN of its sign, whatever its payload")
{
    for (const std::uint32_t bits :
         {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffabcdefu}) {
        const auto nan = std::bit_cast<float>(bits);
        const unsigned sign = bits >> 16 & 0x8000;
        CHECK((f16(nan).bits & 0xfe00) == (sign | 0x7e00));
        CHECK((bf16(nan).bits & 0xffc0) == (sign | 0x7fc0));
    }
}

TEST_CASE("16-bit floats compute as floats and convert in constant expressions")
{
    static_assert(f16(1.5f).bits == 0x3e00);
    static_assert(f16(0x1p-24f).bits == 1);
    static_assert(f16(1e9f) == std::numeric_limits<float>::infinity());
    static_assert(bf16(1.5f).bits == 0x3fc0);
    static_assert(std::bit_cast<f16>(std::uint16_t{1}) == 0x1p-24f);
    static_assert(f16(1.5f) + bf16(2.5f) == 4.0f);
    static_assert(f16(1.0f) < f16(2.0f) && f16(0.0f) == f16(-0.0f));
    static_assert(f16{}.bits == 0 && bf16{}.bits == 0);
    static_assert(std::is_trivial_v<f16> && std::is_trivial_v<bf16>);
    static_assert(!std::is_convertible_v<float, f16>, "narrowing must be asked for");
    SUCCEED();
}
