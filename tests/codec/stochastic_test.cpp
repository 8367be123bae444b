#include <papilio/codec/stochastic.hpp>

#include <papilio/codec/error_feedback.hpp>
#include <papilio/codec/finite_only.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/two_way.hpp>

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

/// What one code is worth at element `i`: the scale, which does not depend on how codes are
/// rounded.
template <class Codec>
double step_of(const std::vector<float>& values, std::size_t i)
{
    const auto bytes = encoded(Codec{}, values);
    const auto n = values.size();
    const auto scales = Codec::id == codec_id::int8b ? n : n / 2 + n % 2;
    const auto at = scales + i / Codec::granule * sizeof(std::uint16_t);
    return static_cast<double>(static_cast<float>(load<bf16>(bytes.data() + at)));
}

}  // namespace

TEMPLATE_TEST_CASE("stochastic rounding keeps the contract of codecs", "", float, double)
{
    codec_contract<stochastic<int8b>, TestType>({.seed = 3, .round = 4});
    codec_contract<stochastic<int4b<32>>, TestType>({.seed = 3, .round = 4});
    codec_contract<stochastic<int4b<128>>, TestType>({.seed = 3, .round = 4});
    static_assert(stochastic<int8b>::id == int8b::id);
}

TEST_CASE("stochastic rounding refuses to encode what is not finite")
{
    check_not_finite<stochastic<int8b>>(std::nanf(""));
    check_not_finite<stochastic<int8b>>(std::numeric_limits<float>::infinity());
    check_not_finite<stochastic<int4b<32>>>(std::nanf(""));
}

TEMPLATE_TEST_CASE("on average stochastic rounding decodes what was encoded", "", int8b, int4b<32>,
                   int4b<128>)
{
    constexpr int rounds = 10000;
    const auto values = normals(300);
    std::vector<double> sums(values.size());
    for (std::uint64_t round = 0; round < rounds; ++round) {
        const stochastic<TestType> codec{.seed = 5, .round = round};
        const auto back = decoded<float>(codec, encoded(codec, values), values.size());
        for (std::size_t i = 0; i < values.size(); ++i) sums[i] += static_cast<double>(back[i]);
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double x = static_cast<double>(values[i]), step = step_of<TestType>(values, i);
        const double part = x / step - std::floor(x / step);
        const double sigma = step * std::sqrt(part * (1 - part) / rounds);
        CHECK(std::abs(sums[i] / rounds - x) <= 4.5 * sigma + step * 0x1p-15);
    }
}

TEMPLATE_TEST_CASE(
    "stochastic rounding moves no element by a whole step, and none that needs no rounding", "",
    int8b, int4b<32>, int4b<128>)
{
    const stochastic<TestType> codec{.seed = 6};
    const auto values = normals(5000);
    const auto back = decoded<float>(codec, encoded(codec, values), values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        REQUIRE(std::abs(static_cast<double>(values[i]) - static_cast<double>(back[i])) <
                step_of<TestType>(values, i) * 1.0001);
    std::vector<float> whole(TestType::granule);
    constexpr int largest = TestType::id == codec_id::int8b ? 127 : 7;
    for (std::size_t i = 0; i < whole.size(); ++i)
        whole[i] = static_cast<float>(largest - static_cast<int>(i) % (2 * largest)) * 0.25f;
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

TEST_CASE(
    "results go back rounded to nearest, whatever a peer's seed, from within other codecs, too")
{
    using rounding = stochastic<int8b>;
    static_assert(std::same_as<detail::codec_back_t<rounding>, int8b>);
    static_assert(std::same_as<detail::codec_back_t<two_way<identity, rounding>>, int8b>);
    static_assert(std::same_as<detail::codec_back_t<error_feedback<rounding>>, int8b>);
    static_assert(std::same_as<detail::codec_back_t<finite_only<rounding>>, finite_only<int8b>>);
    SUCCEED();
}

TEST_CASE("stochastic rounding doubles the squared error")
{
    CHECK(error_of_normal_numbers<stochastic<int8b>>() == Approx(2 * 4.2e-5).epsilon(0.05));
    CHECK(error_of_normal_numbers<stochastic<int4b<32>>>() == Approx(2 * 9.5e-3).epsilon(0.05));
    CHECK(error_of_normal_numbers<stochastic<int4b<128>>>() == Approx(2 * 1.4e-2).epsilon(0.05));
}
