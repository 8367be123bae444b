#include <papilio/codec/stochastic.hpp>

#include <papilio/codec/int8b.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

namespace {

std::vector<float> normals(std::size_t n)
{
    papilio::random numbers(1);
    std::vector<float> values(n);
    for (auto& x : values) x = static_cast<float>(numbers.normal());
    return values;
}

}  // namespace

TEMPLATE_TEST_CASE("stochastic rounding keeps the contract of codecs", "", float, double)
{
    codec_contract<stochastic<int8b>, TestType>({.seed = 3, .round = 4});
    static_assert(stochastic<int8b>::id == int8b::id);
}

TEST_CASE("stochastic rounding refuses to encode what is not finite")
{
    check_not_finite<stochastic<int8b>>(std::nanf(""));
    check_not_finite<stochastic<int8b>>(std::numeric_limits<float>::infinity());
}

TEST_CASE("on average stochastic rounding decodes what was encoded")
{
    constexpr int rounds = 10000;
    const auto values = normals(300);
    std::vector<double> sums(values.size());
    for (std::uint64_t round = 0; round < rounds; ++round) {
        const stochastic<int8b> codec{.seed = 5, .round = round};
        const auto back = decoded<float>(codec, encoded(codec, values), values.size());
        for (std::size_t i = 0; i < values.size(); ++i) sums[i] += static_cast<double>(back[i]);
    }
    const auto bytes = encoded(int8b{}, values);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double step = static_cast<double>(static_cast<float>(
            std::bit_cast<bf16>(load<std::uint16_t>(bytes.data() + 300 + i / 128 * 2))));
        const double x = static_cast<double>(values[i]);
        const double part = x / step - std::floor(x / step);
        const double sigma = step * std::sqrt(part * (1 - part) / rounds);
        CHECK(std::abs(sums[i] / rounds - x) <= 4 * sigma + step * 0x1p-15);
    }
}

TEST_CASE("stochastic rounding moves no element by a whole step, and none that needs no rounding")
{
    const stochastic<int8b> codec{.seed = 6};
    const auto values = normals(5000);
    const auto bytes = encoded(codec, values);
    const auto back = decoded<float>(codec, bytes, values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const float step =
            std::bit_cast<bf16>(load<std::uint16_t>(bytes.data() + 5000 + i / 128 * 2));
        REQUIRE(std::abs(values[i] - back[i]) < step * 1.0001f);
    }
    std::vector<float> whole(128);
    for (std::size_t i = 0; i < whole.size(); ++i) whole[i] = static_cast<float>(i) * 0.25f;
    CHECK(decoded<float>(codec, encoded(codec, whole), whole.size()) == whole);
}

TEST_CASE("stochastic rounding depends on seed, round and place alone")
{
    const auto values = normals(1024);
    const stochastic<int8b> codec{.seed = 7, .round = 8};
    const auto bytes = encoded(codec, values);
    CHECK(encoded(stochastic<int8b>{.seed = 7, .round = 8}, values) == bytes);
    CHECK(encoded(stochastic<int8b>{.seed = 8, .round = 8}, values) != bytes);
    CHECK(encoded(stochastic<int8b>{.seed = 7, .round = 9}, values) != bytes);
    CHECK(encoded(codec.at(1), values) != bytes);
    const std::vector<float> second(values.begin() + 512, values.end());
    const auto part = encoded(codec.at(512), second);
    CHECK(std::equal(part.begin(), part.begin() + 512, bytes.begin() + 512));
    // Peers of other versions need not round alike, but a round that is repeated must.
    CHECK(
        encoded(stochastic<int8b>{.seed = 1}, std::vector<float>{127, 0.5f, 0.5f, -0.5f, 63.25f}) ==
        octets({127, 0, 0, 0, 63, 0x80, 0x3f}));
}

TEST_CASE("stochastic rounding doubles the squared error")
{
    CHECK(error_of_normal_numbers<stochastic<int8b>>() == Approx(2 * 4.2e-5).epsilon(0.05));
}
