#include <papilio/codec/half.hpp>

#include "contract/codec_contract.hpp"

#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>

#include <tuple>
#include <utility>

// What as_f16 and as_bf16 have in common.

using namespace papilio;
using namespace papilio::codec_testing;

using halves = std::tuple<std::pair<as_f16, f16>, std::pair<as_bf16, bf16>>;

TEMPLATE_TEST_CASE("16-bit codecs keep the contract of codecs and odd symmetry", "", as_f16,
                   as_bf16)
{
    codec_contract<TestType, float>();
    codec_contract<TestType, double>();
    check_odd_symmetry<TestType, float>();
    check_odd_symmetry<TestType, double>();
}

TEMPLATE_LIST_TEST_CASE("16-bit codecs store the nearest 16-bit float, little-endian", "", halves)
{
    using codec = typename TestType::first_type;
    using half = typename TestType::second_type;
    CHECK(codec::template bound<float>(1000) == 2000);
    papilio::random numbers(4);
    std::vector<float> values(1000);
    for (auto& x : values) x = static_cast<float>(numbers.normal());
    const auto bytes = encoded(codec{}, values);
    for (std::size_t i = 0; i < values.size(); ++i)
        REQUIRE(load<std::uint16_t>(bytes.data() + 2 * i) == half(values[i]).bits);
    CHECK(encoded(codec{}, std::vector<double>(values.begin(), values.end())) == bytes);
}

TEMPLATE_LIST_TEST_CASE("every 16-bit float passes unchanged through its codec", "", halves)
{
    using codec = typename TestType::first_type;
    using half = typename TestType::second_type;
    std::vector<float> values;
    for (unsigned bits = 0; bits < 65536; ++bits)
        values.push_back(std::bit_cast<half>(static_cast<std::uint16_t>(bits)));
    const auto back = decoded<float>(codec{}, encoded(codec{}, values), values.size());
    unsigned wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const bool both_nan = std::isnan(values[i]) && std::isnan(back[i]);
        const bool equal = values[i] == back[i] && std::signbit(values[i]) == std::signbit(back[i]);
        if (!both_nan && !equal) ++wrong;
    }
    CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("16-bit codecs refuse any but two bytes per element", "", as_f16, as_bf16)
{
    for (const std::size_t size : {0u, 1u, 3u, 5u, 6u})
        CHECK(refuses<float>(TestType{}, std::vector<std::byte>(size), 2));
    CHECK(!refuses<float>(TestType{}, std::vector<std::byte>(4), 2));
}
