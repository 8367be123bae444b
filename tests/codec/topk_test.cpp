#include <papilio/codec/topk.hpp>

#include "contract/codec_contract.hpp"

#include <algorithm>
#include <numeric>

using namespace papilio;
using namespace papilio::codec_testing;

namespace {

/// Which places of the chunk are sent, by sorting.
std::vector<bool> sent(const std::vector<float>& chunk, std::size_t k)
{
    std::vector<std::size_t> places(chunk.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    std::sort(places.begin(), places.end(), [&](auto a, auto b) {
        const float x = std::abs(chunk[a]), y = std::abs(chunk[b]);
        return x > y || (x == y && a < b);
    });
    std::vector<bool> result(chunk.size());
    for (std::size_t i = 0; i < k; ++i) result[places[i]] = true;
    return result;
}

using packed_halves = topk<64>;
using packed_two_bits = topk<64, two_bit_values>;
using packed_signs = topk<64, sign_values>;
using rice_halves = topk<64, half_values, rice_places>;
using rice_two_bits = topk<64, two_bit_values, rice_places>;
using rice_signs = topk<128, sign_values, rice_places>;
using small_chunks = topk<5, half_values, packed_places, 64>;
using whole_chunks = topk<64, two_bit_values, rice_places, 64>;

template <class Codec>
double bits_per_element()
{
    papilio::random numbers(5);
    std::vector<float> values(std::size_t{1} << 18);
    for (auto& x : values) x = static_cast<float>(numbers.normal());
    return 8.0 * static_cast<double>(encoded(Codec{}, values).size()) /
           static_cast<double>(values.size());
}

}  // namespace

TEMPLATE_TEST_CASE("topk keeps the contract of codecs, whatever values and places it has", "",
                   packed_halves, packed_two_bits, packed_signs, rice_halves, rice_two_bits,
                   rice_signs, small_chunks, whole_chunks)
{
    codec_contract<TestType, float>();
    check_odd_symmetry<TestType, float>();
    check_powers_of_two<TestType, float>(-80, 110);
    check_not_finite<TestType>(std::nanf(""));
    check_not_finite<TestType>(std::numeric_limits<float>::infinity());
}

TEST_CASE("topk takes doubles, too")
{
    codec_contract<packed_two_bits, double>();
}

TEST_CASE("topk sends the largest magnitudes of each chunk, and a short chunk its share")
{
    for (const auto& input : finite_inputs(2 * 4096 + 1000)) {
        INFO(input.name);
        const auto values = as<float>(input.values);
        const auto back = decoded<float>(topk<64>{}, encoded(topk<64>{}, values), values.size());
        for (std::size_t begin = 0; begin < values.size(); begin += 4096) {
            const auto end = std::min<std::size_t>(begin + 4096, values.size());
            const std::vector<float> chunk(values.begin() + static_cast<std::ptrdiff_t>(begin),
                                           values.begin() + static_cast<std::ptrdiff_t>(end));
            float peak = 0;
            for (const float x : chunk) peak = std::max(peak, std::abs(x));
            const auto chosen = sent(chunk, (chunk.size() + 63) / 64);
            for (std::size_t i = 0; i < chunk.size(); ++i) {
                if (!chosen[i] || peak < 0x1p-100f) {
                    REQUIRE(back[begin + i] == 0);
                    continue;
                }
                // As precise as an f16, and where that is subnormal, as its smallest.
                const double x = chunk[i];
                const double off = std::abs(static_cast<double>(back[begin + i]) - x);
                REQUIRE(off <=
                        std::max(std::abs(x) * 0x1p-11, static_cast<double>(peak) * 0x1p-38));
            }
        }
    }
}

TEST_CASE("topk lays out each chunk's values, then its places")
{
    using codec = topk<4, sign_values, packed_places, 64>;
    std::vector<float> values(64);
    values[1] = 3;
    values[2] = -5;
    values[40] = 4;
    values[63] = -4;
    // The mean, 4, is 0x4080. Signs 0, 1, 0, 1. Six bits each for 1, 2, 40 and 63.
    CHECK(encoded(codec{}, values) == octets({0x80, 0x40, 0x0a, 1 | (2 << 6 & 0xff),
                                              2 >> 2 | (40 << 4 & 0xff), 40 >> 4 | 63 << 2}));

    using rice = topk<4, sign_values, rice_places, 64>;
    // Spacing 16 gives parameter 3. Distances 1, 0, 37 and 22: upper parts 0, 0, 4 and 2 in unary,
    // lower parts 1, 0, 5 and 6. From the lowest bit: 0 100, 0 000, 11110 101, 110 011.
    CHECK(encoded(rice{}, values) ==
          octets({3, 0, 0x80, 0x40, 0x0a, 0x02, 0b10101111, 0b110011 & 0xff}));
}

TEST_CASE("topk takes as many bits as it says")
{
    CHECK(packed_halves::bound<float>(0) == 0);
    CHECK(packed_halves::bound<float>(4096) == 2 + 128 + 96);
    CHECK(packed_two_bits::bound<float>(4096) == 4 + 16 + 96);
    CHECK(packed_signs::bound<float>(4096) == 2 + 8 + 96);
    CHECK(packed_halves::bound<float>(1) == 2 + 2 + 2);
    CHECK(bits_per_element<packed_halves>() == Approx(0.44).epsilon(0.01));
    CHECK(bits_per_element<packed_two_bits>() == Approx(0.227).epsilon(0.01));
    CHECK(bits_per_element<packed_signs>() == Approx(0.207).epsilon(0.01));
    CHECK(bits_per_element<rice_two_bits>() == Approx(0.162).epsilon(0.02));
}

TEST_CASE("topk loses what it was designed to lose")
{
    CHECK(error_of_normal_numbers<packed_halves>() == Approx(0.881).epsilon(0.01));
    CHECK(error_of_heavy_tails<packed_halves>() == Approx(0.588).epsilon(0.05));
    CHECK(error_of_normal_numbers<packed_two_bits>() == Approx(0.882).epsilon(0.01));
    CHECK(error_of_heavy_tails<packed_two_bits>() < 0.70);
    CHECK(error_of_normal_numbers<packed_signs>() == Approx(0.882).epsilon(0.01));
    CHECK(error_of_heavy_tails<packed_signs>() == Approx(0.70).epsilon(0.05));
}

TEST_CASE("topk refuses places that do not ascend, lie beyond the chunk or leave bits behind")
{
    using codec = topk<2, sign_values, packed_places, 64>;
    const auto with = [](int first, int second, int rest) {
        const int bits = first | second << 6 | rest << 12;
        return octets({0x80, 0x40, 0x02, bits & 0xff, bits >> 8});
    };
    CHECK_FALSE(refuses<float>(codec{}, with(3, 4, 0), 64));
    CHECK(refuses<float>(codec{}, with(4, 3, 0), 64));
    CHECK(refuses<float>(codec{}, with(4, 4, 0), 64));
    CHECK(refuses<float>(codec{}, with(3, 4, 1), 64));
    CHECK_FALSE(refuses<float>(codec{}, with(3, 39, 0), 40));
    CHECK(refuses<float>(codec{}, with(3, 40, 0), 40));
}

TEST_CASE("topk refuses Rice codes that run away, end early or leave bytes behind")
{
    using codec = topk<2, sign_values, rice_places, 64>;  // parameter 4
    const auto with = [](std::initializer_list<int> places, int length) {
        auto bytes = octets({length, 0, 0x80, 0x40, 0x02});
        for (const int byte : places) bytes.push_back(static_cast<std::byte>(byte));
        return bytes;
    };
    CHECK_FALSE(refuses<float>(codec{}, with({0x00, 0x00}, 2), 64));
    CHECK(refuses<float>(codec{}, with({0xff, 0xff}, 2), 64));        // a run of ones
    CHECK(refuses<float>(codec{}, with({0x0f, 0x00}, 2), 64));        // beyond the chunk
    CHECK(refuses<float>(codec{}, with({0x00}, 1), 64));              // ends early
    CHECK(refuses<float>(codec{}, with({0x00, 0x00, 0x00}, 3), 64));  // one byte too many
    CHECK(refuses<float>(codec{}, with({0x00, 0x04}, 2), 64));        // bits behind the last place
    CHECK(refuses<float>(codec{}, with({0x00, 0x00}, 3), 64));        // longer than what came
}

TEST_CASE("a Rice code whose lower bits lead beyond the chunk is refused")
{
    // Of 64 elements, one in eight is sent: there are two lower bits. Fifteen ones, 0, 11 are
    // 15 * 4 + 3 = 63; then 0, 00 is the element after it.
    std::uint16_t places[2] = {};
    const auto decodes = [&](std::initializer_list<int> code, std::size_t k, std::size_t n) {
        return rice_places::decode(octets(code), k, n, 64, 8, places);
    };
    CHECK(decodes({0xff, 0x7f, 0b11}, 1, 64));
    CHECK(places[0] == 63);
    CHECK_FALSE(decodes({0xff, 0x7f, 0b11}, 2, 64));
    CHECK(decodes({0xff, 0x7f, 0b10}, 2, 64));
    CHECK(places[1] == 63);
    CHECK_FALSE(decodes({0xff, 0x7f, 0b10}, 2, 63));
}

TEST_CASE("topk refuses values that it could not have encoded")
{
    using halves = topk<1, half_values, packed_places, 64>;
    CHECK_FALSE(refuses<float>(halves{}, octets({0x80, 0x39, 0x00, 0x70, 0x05}), 64));
    CHECK(refuses<float>(halves{}, octets({0x81, 0x39, 0x00, 0x70, 0x05}), 64));  // no power of two
    CHECK(refuses<float>(halves{}, octets({0x80, 0xb9, 0x00, 0x70, 0x05}), 64));  // negative
    CHECK(refuses<float>(halves{}, octets({0x80, 0x7f, 0x00, 0x70, 0x05}), 64));  // infinite
    CHECK(refuses<float>(halves{}, octets({0x80, 0x39, 0x00, 0x6c, 0x05}), 64));  // too small
    CHECK(refuses<float>(halves{}, octets({0x80, 0x39, 0x00, 0x7c, 0x05}), 64));  // infinity
    CHECK(refuses<float>(halves{}, octets({0x00, 0x00, 0x00, 0x70, 0x05}), 64));  // no scale
    using two_bits = topk<1, two_bit_values, packed_places, 64>;
    CHECK_FALSE(refuses<float>(two_bits{}, octets({0x80, 0x3f, 0x80, 0x3f, 0x03, 0x05}), 64));
    CHECK(refuses<float>(two_bits{}, octets({0x80, 0x3f, 0x7f, 0x3f, 0x03, 0x05}), 64));
    CHECK(refuses<float>(two_bits{}, octets({0x80, 0x3f, 0x80, 0x3f, 0x04, 0x05}), 64));
    CHECK(refuses<float>(two_bits{}, octets({0x00, 0x00, 0x00, 0x00, 0x01, 0x05}), 64));
    CHECK(refuses<float>(two_bits{}, octets({0x80, 0x3f, 0x80, 0x7f, 0x03, 0x05}), 64));
    using signs = topk<1, sign_values, packed_places, 64>;
    CHECK(refuses<float>(signs{}, octets({0x80, 0x3f, 0x02, 0x05}), 64));
    CHECK(refuses<float>(signs{}, octets({0x80, 0xbf, 0x01, 0x05}), 64));
    CHECK(refuses<float>(signs{}, octets({0x00, 0x00, 0x01, 0x05}), 64));
}

TEST_CASE("topk's parameters tell its variants apart")
{
    const std::vector<std::uint64_t> all{packed_halves::parameters(), packed_two_bits::parameters(),
                                         packed_signs::parameters(),  rice_halves::parameters(),
                                         rice_two_bits::parameters(), rice_signs::parameters(),
                                         small_chunks::parameters(),  whole_chunks::parameters()};
    for (std::size_t i = 0; i < all.size(); ++i)
        CHECK(std::count(all.begin(), all.end(), all[i]) == 1);
}
