#include <papilio/codec/int8b.hpp>

#include "contract/codec_contract.hpp"

#include <support/bytes_of.hpp>

using namespace papilio;
using namespace papilio::codec_testing;
using papilio::test::bytes_of;

namespace {

/// A block by the definition, in doubles, which hold quotients and products of floats exactly
/// enough to be rounded to float once.
struct plain_block {
    double scale = 0;
    std::vector<int> codes;
};

plain_block encode_plainly(const std::vector<float>& values)
{
    double largest = 0;
    for (const float x : values) largest = std::max(largest, std::abs(static_cast<double>(x)));
    if (largest < 0x1p-100) return {0, std::vector<int>(values.size())};
    const double quotient = static_cast<float>(largest / 127);
    const double step = std::ldexp(1, std::ilogb(quotient) - 7);
    plain_block block{std::ceil(quotient / step) * step, {}};
    const double inverse = static_cast<float>(1 / block.scale);
    for (const float x : values)
        block.codes.push_back(static_cast<int>(std::nearbyint(static_cast<float>(x * inverse))));
    return block;
}

void check_int8b(const std::vector<float>& values)
{
    const auto n = values.size();
    const auto bytes = encoded(int8b{}, values);
    const auto back = decoded<float>(int8b{}, bytes, n);
    for (std::size_t begin = 0; begin < n; begin += 128) {
        const auto end = std::min(n, begin + 128);
        const auto block = encode_plainly({values.data() + begin, values.data() + end});
        const auto scale = load<std::uint16_t>(bytes.data() + n + begin / 128 * 2);
        REQUIRE(std::bit_cast<bf16>(scale) == block.scale);
        for (std::size_t i = begin; i < end; ++i) {
            const int code = block.codes[i - begin];
            REQUIRE(std::abs(code) <= 127);
            REQUIRE(static_cast<std::int8_t>(bytes[i]) == code);
            REQUIRE(back[i] == static_cast<float>(block.scale * code));
            const double error =
                std::abs(static_cast<double>(values[i]) - static_cast<double>(back[i]));
            if (block.scale > 0) REQUIRE(error <= block.scale / 2 * (1 + 0x1p-15));
        }
    }
}

}  // namespace

TEMPLATE_TEST_CASE("int8b keeps the contract of codecs", "", float, double)
{
    codec_contract<int8b, TestType>();
    check_odd_symmetry<int8b, TestType>();
}

TEST_CASE("int8b equals its definition in doubles, code by code")
{
    for (std::size_t n : {1u, 127u, 128u, 129u, 5000u})
        for (const auto& input : finite_inputs(n)) check_int8b(as<float>(input.values));
}

TEST_CASE("int8b lays out all codes, then one scale per block")
{
    CHECK(int8b::bound<float>(0) == 0);
    CHECK(int8b::bound<float>(1) == 3);
    CHECK(int8b::bound<float>(128) == 130);
    CHECK(int8b::bound<double>(129) == 133);
    // 1/127 rounded up to bf16 is 0x3c02; 1 over that is 126.03.
    CHECK(encoded(int8b{}, std::vector<float>{1, -1, 0.5, 0}) ==
          bytes_of({126, -126, 63, 0, 0x02, 0x3c}));
    CHECK(encoded(int8b{}, std::vector<float>{0, -0.0f}) == bytes_of({0, 0, 0, 0}));
}

TEST_CASE("int8b rounds ties to even")
{
    // 127 * 2^-3: the scale is exactly 2^-3, and halves of it are ties.
    const std::vector<float> values{15.875f, 0.0625f, 0.1875f, 0.3125f, -0.0625f, -0.1875f};
    CHECK(encoded(int8b{}, values) == bytes_of({127, 0, 2, 2, 0, -2, 0x00, 0x3e}));
}

TEST_CASE("int8b codes any largest magnitude such that it can be decoded")
{
    // Every bf16 from zero on, the float below the next one, and one between them.
    for (std::uint32_t upper = 0; upper < 0x7f80; ++upper)
        for (const std::uint32_t lower : {0u, 0x5555u, 0xffffu})
            check_int8b({std::bit_cast<float>(upper << 16 | lower)});
}

TEST_CASE("int8b gives up blocks below 2^-100 and no others")
{
    const float below = std::nextafter(0x1p-100f, 0.0f);
    CHECK(encoded(int8b{}, std::vector<float>{below, -below}) == bytes_of({0, 0, 0, 0}));
    const auto bytes = encoded(int8b{}, std::vector<float>{0x1p-100f});
    CHECK(bytes == bytes_of({126, 0x02, 0x0a}));
    CHECK(decoded<float>(int8b{}, bytes, 1)[0] == Approx(0x1p-100).epsilon(0.004));
}

TEST_CASE("int8b refuses NaN and infinities, wherever they are")
{
    for (std::size_t n : {1u, 128u, 200u}) {
        for (std::size_t i = 0; i < n; ++i) {
            for (const double bad :
                 {double{NAN}, double{-NAN}, double{INFINITY}, double{-INFINITY}, 1e39}) {
                std::vector<double> values(n, 1.0);
                values[i] = bad;
                try {
                    encoded(int8b{}, values);
                    FAIL("accepted " << bad);
                } catch (const std::system_error& error) {
                    REQUIRE(error.code() == errc::not_finite);
                }
            }
        }
    }
}

TEST_CASE("int8b refuses blocks that it could not have written")
{
    CHECK(!refuses<float>(int8b{}, bytes_of({126, 0x02, 0x3c}), 1));
    CHECK(!refuses<float>(int8b{}, bytes_of({-127, 0x02, 0x3c}), 1));

    CHECK(refuses<float>(int8b{}, bytes_of({-128, 0x02, 0x3c}), 1));  // a code out of range
    CHECK(refuses<float>(int8b{}, bytes_of({125, 0x02, 0x3c}), 1));   // a scale needlessly large
    CHECK(refuses<float>(int8b{}, bytes_of({0, 0x02, 0x3c}), 1));
    CHECK(refuses<float>(int8b{}, bytes_of({1, 0x00, 0x00}), 1));    // a code under a zero scale
    CHECK(refuses<float>(int8b{}, bytes_of({126, 0x02, 0xbc}), 1));  // a negative scale
    CHECK(refuses<float>(int8b{}, bytes_of({0, 0x00, 0x80}), 1));    // minus zero
    CHECK(refuses<float>(int8b{}, bytes_of({126, 0x80, 0x7f}), 1));  // infinity
    CHECK(refuses<float>(int8b{}, bytes_of({126, 0xc0, 0x7f}), 1));  // NaN
    CHECK(refuses<float>(int8b{}, bytes_of({126, 0x7f, 0x00}), 1));  // a subnormal scale
    CHECK(refuses<float>(int8b{}, bytes_of({126, 0x01, 0x0a}), 1));  // one below 2^-100 / 127
    CHECK(refuses<float>(int8b{}, bytes_of({127, 0x7f, 0x7f}), 1));  // products beyond float
    // The largest scale leaves float's range with the largest code, and not with the one before.
    CHECK(!refuses<float>(int8b{}, bytes_of({126, 0x02, 0x7c}), 1));
    CHECK(refuses<float>(int8b{}, bytes_of({127, 0x02, 0x7c}), 1));
}

TEST_CASE("int8b checks every block, the short one at the end too")
{
    const auto honest = encoded(int8b{}, std::vector<float>(300, 1.0f));
    for (std::size_t i = 0; i < 300; ++i) {
        auto bytes = honest;
        bytes[i] = std::byte{0x80};
        CHECK(refuses<float>(int8b{}, bytes, 300));
    }
    for (std::size_t block = 0; block < 3; ++block) {
        auto bytes = honest;
        bytes[300 + 2 * block + 1] |= std::byte{0x80};
        CHECK(refuses<float>(int8b{}, bytes, 300));
    }
}

TEST_CASE("int8b is exact under powers of two, and as precise as it was designed to be")
{
    check_powers_of_two<int8b, float>(-90, 110);
    CHECK(error_of_normal_numbers<int8b>() == Approx(4.2e-5).epsilon(0.05));
}

TEST_CASE("int8b moves decoded values by at most one code when it encodes them again")
{
    for (const auto& input : finite_inputs(1000)) {
        const auto once = decoded<float>(int8b{}, encoded(int8b{}, as<float>(input.values)), 1000);
        const auto bytes = encoded(int8b{}, once);
        const auto twice = decoded<float>(int8b{}, bytes, 1000);
        for (std::size_t i = 0; i < 1000; ++i) {
            const float scale =
                std::bit_cast<bf16>(load<std::uint16_t>(bytes.data() + 1000 + i / 128 * 2));
            REQUIRE(std::abs(twice[i] - once[i]) <= scale);
        }
    }
}

TEST_CASE("a double is rounded to float before int8b encodes it")
{
    papilio::random numbers(6);
    std::vector<double> values(1000);
    for (auto& x : values) x = numbers.normal();
    CHECK(encoded(int8b{}, values) ==
          encoded(int8b{}, std::vector<float>(values.begin(), values.end())));
}
