#include <papilio/codec/int4b.hpp>

#include "contract/codec_contract.hpp"

#include <support/bytes_of.hpp>

using namespace papilio;
using namespace papilio::codec_testing;
using papilio::test::bytes_of;

namespace {

/// The code of element `i` of `n`, by the definition of the layout.
template <std::size_t Block>
int code_at(const std::vector<std::byte>& encoded, std::size_t n, std::size_t i)
{
    const auto begin = i / Block * Block;
    const auto half = (std::min(Block, n - begin) + 1) / 2;
    const auto place = i - begin;
    const auto both = static_cast<unsigned>(encoded[begin / 2 + place % half]);
    const auto code = static_cast<int>(place < half ? both % 16 : both / 16);
    return code < 8 ? code : code - 16;
}

/// A block's scale by the definition, in doubles, which hold quotients and products of floats
/// exactly enough to be rounded to float once.
double scale_plainly(const float* values, std::size_t size)
{
    double largest = 0;
    for (std::size_t i = 0; i < size; ++i)
        largest = std::max(largest, std::abs(static_cast<double>(values[i])));
    if (largest < 0x1p-100) return 0;
    const double quotient = static_cast<float>(largest / 7);
    const double step = std::ldexp(1, std::ilogb(quotient) - 7);
    return std::min(std::ceil(quotient / step) * step, 0x1.24p125);  // 7 of them are a float
}

template <std::size_t Block>
void check_int4b(const std::vector<float>& values)
{
    const auto n = values.size();
    const auto bytes = encoded(int4b<Block>{}, values);
    const auto back = decoded<float>(int4b<Block>{}, bytes, n);
    for (std::size_t begin = 0; begin < n; begin += Block) {
        const auto end = std::min(n, begin + Block);
        const auto scale = scale_plainly(values.data() + begin, end - begin);
        const auto scale_at = (n + 1) / 2 + begin / Block * 2;
        REQUIRE(std::bit_cast<bf16>(load<std::uint16_t>(bytes.data() + scale_at)) == scale);
        const double inverse = scale > 0 ? static_cast<float>(1 / scale) : 0;
        for (std::size_t i = begin; i < end; ++i) {
            const double x = values[i];
            const int code = static_cast<int>(std::nearbyint(static_cast<float>(x * inverse)));
            REQUIRE(code_at<Block>(bytes, n, i) == code);
            REQUIRE(back[i] == static_cast<float>(scale * code));
            if (scale > 0)
                REQUIRE(std::abs(x - static_cast<double>(back[i])) <= scale / 2 * (1 + 0x1p-15));
        }
    }
}

using blocks =
    std::tuple<std::integral_constant<std::size_t, 32>, std::integral_constant<std::size_t, 128>>;

}  // namespace

TEMPLATE_TEST_CASE("int4b keeps the contract of codecs", "", float, double)
{
    codec_contract<int4b<32>, TestType>();
    codec_contract<int4b<128>, TestType>();
    check_odd_symmetry<int4b<32>, TestType>();
    check_odd_symmetry<int4b<128>, TestType>();
}

TEMPLATE_LIST_TEST_CASE("int4b equals its definition in doubles, code by code", "", blocks)
{
    for (std::size_t n : {1u, 2u, 3u, 31u, 32u, 33u, 127u, 128u, 129u, 5000u})
        for (const auto& input : finite_inputs(n))
            check_int4b<TestType::value>(as<float>(input.values));
}

TEST_CASE("int4b lays out the codes of a block's halves in pairs, then one scale per block")
{
    CHECK(int4b<32>::bound<float>(0) == 0);
    CHECK(int4b<32>::bound<float>(1) == 3);
    CHECK(int4b<32>::bound<float>(32) == 18);
    CHECK(int4b<32>::bound<double>(33) == 21);
    CHECK(int4b<128>::bound<float>(128) == 66);
    // The scale is 1: 7 is the largest.
    CHECK(encoded(int4b<32>{}, std::vector<float>{7, -1, 3}) == bytes_of({0x37, 0x0f, 0x80, 0x3f}));
    std::vector<float> values(32);
    values[0] = -7;
    values[16] = 2;
    values[31] = -2;
    const auto bytes = encoded(int4b<32>{}, values);
    CHECK(bytes[0] == std::byte{0x29});
    CHECK(bytes[15] == std::byte{0xe0});
    CHECK(encoded(int4b<32>{}, std::vector<float>{0, -0.0f}) == bytes_of({0, 0, 0}));
}

TEST_CASE("int4b rounds ties to even")
{
    const std::vector<float> values{7, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f};
    const auto bytes = encoded(int4b<128>{}, values);
    const int expected[] = {7, 0, 2, 2, 0, -2};
    for (std::size_t i = 0; i < 6; ++i) CHECK(code_at<128>(bytes, 6, i) == expected[i]);
}

TEST_CASE("int4b codes any largest magnitude such that it can be decoded")
{
    // Every bf16 from zero on, the float below the next one, and one between them.
    for (std::uint32_t upper = 0; upper < 0x7f80; ++upper)
        for (const std::uint32_t lower : {0u, 0x5555u, 0xffffu})
            check_int4b<32>({std::bit_cast<float>(upper << 16 | lower)});
}

TEST_CASE("int4b gives up blocks below 2^-100 and no others")
{
    const float below = std::nextafter(0x1p-100f, 0.0f);
    CHECK(encoded(int4b<32>{}, std::vector<float>{below, -below}) == bytes_of({0, 0, 0}));
    const auto bytes = encoded(int4b<32>{}, std::vector<float>{0x1p-100f});
    CHECK(bytes == bytes_of({7, 0x13, 0x0c}));
    CHECK(decoded<float>(int4b<32>{}, bytes, 1)[0] == Approx(0x1p-100).epsilon(0.01));
}

TEMPLATE_LIST_TEST_CASE("int4b refuses NaN and infinities, wherever they are", "", blocks)
{
    for (std::size_t n : {1u, 128u, 200u}) {
        for (std::size_t i = 0; i < n; ++i) {
            for (const double bad :
                 {double{NAN}, double{-NAN}, double{INFINITY}, double{-INFINITY}, 1e39}) {
                std::vector<double> values(n, 1.0);
                values[i] = bad;
                try {
                    encoded(int4b<TestType::value>{}, values);
                    FAIL("accepted " << bad);
                } catch (const std::system_error& error) {
                    REQUIRE(error.code() == errc::not_finite);
                }
            }
        }
    }
}

TEST_CASE("int4b refuses blocks that it could not have written")
{
    const auto refuses_short = [](std::initializer_list<int> bytes, std::size_t n) {
        return refuses<float>(int4b<32>{}, bytes_of(bytes), n);
    };
    CHECK(!refuses_short({0x07, 0x80, 0x3f}, 1));
    CHECK(!refuses_short({0x90, 0x80, 0x3f}, 2));

    CHECK(refuses_short({0x08, 0x80, 0x3f}, 1));  // a code out of range
    CHECK(refuses_short({0x87, 0x80, 0x3f}, 2));
    CHECK(refuses_short({0x05, 0x80, 0x3f}, 1));  // a scale needlessly large
    CHECK(refuses_short({0x00, 0x80, 0x3f}, 1));
    CHECK(refuses_short({0x17, 0x80, 0x3f}, 1));        // bits beyond the last element
    CHECK(refuses_short({0x07, 0x17, 0x80, 0x3f}, 3));  // the same
    CHECK(refuses_short({0x01, 0x00, 0x00}, 1));        // a code under a zero scale
    CHECK(refuses_short({0x07, 0x80, 0xbf}, 1));        // a negative scale
    CHECK(refuses_short({0x00, 0x00, 0x80}, 1));        // minus zero
    CHECK(refuses_short({0x07, 0x80, 0x7f}, 1));        // infinity
    CHECK(refuses_short({0x07, 0xc0, 0x7f}, 1));        // NaN
    CHECK(refuses_short({0x07, 0x7f, 0x00}, 1));        // a subnormal scale
    CHECK(refuses_short({0x07, 0x12, 0x0c}, 1));        // one below 2^-100 / 7
    CHECK(!refuses_short({0x07, 0x12, 0x7e}, 1));       // the largest
    CHECK(refuses_short({0x07, 0x13, 0x7e}, 1));        // products beyond float
}

TEMPLATE_LIST_TEST_CASE("int4b checks every block, the short one at the end too", "", blocks)
{
    constexpr auto block = TestType::value;
    const auto honest = encoded(int4b<block>{}, std::vector<float>(301, 1.0f));
    for (std::size_t i = 0; i < 151; ++i) {
        for (const std::byte bad : {std::byte{0x87}, std::byte{0x78}}) {
            auto bytes = honest;
            bytes[i] = bad;
            CHECK(refuses<float>(int4b<block>{}, bytes, 301));
        }
    }
    for (auto at = std::size_t{152}; at < honest.size(); at += 2) {
        auto bytes = honest;
        bytes[at] |= std::byte{0x80};
        CHECK(refuses<float>(int4b<block>{}, bytes, 301));
    }
}

TEST_CASE("int4b is exact under powers of two, and as precise as it was designed to be")
{
    check_powers_of_two<int4b<32>, float>(-90, 110);
    CHECK(error_of_normal_numbers<int4b<32>>() == Approx(9.5e-3).epsilon(0.05));
    CHECK(error_of_normal_numbers<int4b<128>>() == Approx(1.4e-2).epsilon(0.05));
}
