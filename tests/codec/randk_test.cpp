#include <papilio/codec/randk.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

namespace {

using quarters = randk<16, sign_values, 64>;

/// The places that are sent of `n` elements, in order.
template <class Codec>
std::vector<std::size_t> places(const Codec& codec, std::size_t n)
{
    const auto back = decoded<float>(codec, encoded(codec, std::vector<float>(n, 1.0f)), n);
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < n; ++i)
        if (back[i] != 0) result.push_back(i);
    return result;
}

}  // namespace

TEMPLATE_TEST_CASE("randk keeps the contract of codecs", "", randk<64>, quarters,
                   (randk<100, two_bit_values>))
{
    codec_contract<TestType, float>();
    codec_contract<TestType, double>(TestType{.seed = 5});
    check_odd_symmetry<TestType, float>();
    check_powers_of_two<TestType, float>(-80, 110);
    check_not_finite<TestType>(std::nanf(""));
    check_not_finite<TestType>(std::numeric_limits<float>::infinity());
}

TEST_CASE("randk sends its share of each chunk, each element as an f16")
{
    const randk<64> codec{.seed = 7};
    papilio::random numbers(8);
    std::vector<float> values(2 * 4096 + 1000);
    for (auto& x : values) x = static_cast<float>(numbers.normal());
    const auto back = decoded<float>(codec, encoded(codec, values), values.size());
    std::size_t sent[3] = {};
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (back[i] == 0) continue;
        ++sent[i / 4096];
        REQUIRE(std::abs(back[i] - values[i]) <= std::abs(values[i]) * 0x1p-11f);
    }
    CHECK(sent[0] == 64);
    CHECK(sent[1] == 64);
    CHECK(sent[2] == 16);
    CHECK(codec.bound<float>(4096) == 130);
    CHECK(encoded(codec, values).size() == 130 + 130 + 34);
}

TEST_CASE("randk draws other places for another seed, chunk or begin, and the same for the same")
{
    const randk<64> codec{.seed = 1};
    const auto first = places(codec, 4096);
    CHECK(first == places(codec, 4096));
    CHECK(first != places(randk<64>{.seed = 2}, 4096));
    CHECK(first != places(codec.at(4096), 4096));
    auto both = places(codec, 8192), second = places(codec.at(4096), 4096);
    for (auto& place : second) place += 4096;
    both.erase(both.begin(), both.begin() + 64);
    CHECK(both == second);
    // Peers of other versions must draw the same.
    CHECK(places(randk<4, half_values, 64>{.seed = 3}, 64) ==
          std::vector<std::size_t>{17, 34, 48, 59});
}

TEST_CASE("randk draws each place about as often as any other")
{
    std::vector<int> counts(64);
    for (std::uint64_t seed = 0; seed < 4000; ++seed)
        for (const auto place : places(quarters{.seed = seed}, 64)) ++counts[place];
    for (const int count : counts) CHECK(std::abs(count - 1000) < 5 * 28);  // five sigma
    for (auto& count : counts) count = 0;
    for (std::uint64_t seed = 0; seed < 4000; ++seed)
        for (const auto place : places(quarters{.seed = seed}, 40)) ++counts[place];
    for (int i = 0; i < 40; ++i) CHECK(std::abs(counts[static_cast<std::size_t>(i)] - 1000) < 140);
}

TEST_CASE("randk's parameters tell apart what cannot be read by one another")
{
    CHECK(randk<64>{.seed = 1}.parameters() != randk<64>{.seed = 2}.parameters());
    CHECK(randk<64>{}.parameters() != randk<65>{}.parameters());
    CHECK(randk<64>{}.parameters() != randk<64, sign_values>{}.parameters());
    CHECK(randk<64>{.seed = 1}.at(5).parameters() == randk<64>{.seed = 1}.parameters());
}

TEST_CASE("randk loses what it does not send")
{
    CHECK(error_of_normal_numbers(randk<64>{.seed = 1}) == Approx(1 - 1.0 / 64).epsilon(0.01));
    CHECK(error_of_normal_numbers(randk<2048>{.seed = 1}) == Approx(0.5).epsilon(0.01));
}

TEST_CASE("randk refuses values that it could not have encoded")
{
    const randk<1, sign_values, 64> codec;
    CHECK_FALSE(refuses<float>(codec, octets({0x80, 0x3f, 0x01}), 64));
    CHECK(refuses<float>(codec, octets({0x80, 0x3f, 0x02}), 64));
    CHECK(refuses<float>(codec, octets({0x80, 0xbf, 0x01}), 64));
}
