#include <papilio/codec/half.hpp>

#include "contract/codec_contract.hpp"

#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>

#include <tuple>
#include <utility>

// What as_f16 and as_bf16 have in common.

using namespace papilio;
using namespace papilio::codec_testing;

using half_codecs = std::tuple<std::pair<as_f16, f16>, std::pair<as_bf16, bf16>>;

TEMPLATE_TEST_CASE("16-bit codecs keep the contract of codecs and odd symmetry", "", as_f16,
                   as_bf16)
{
    codec_contract<TestType, float>();
    codec_contract<TestType, double>();
    check_odd_symmetry<TestType, float>();
    check_odd_symmetry<TestType, double>();
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()})
        check_not_finite<TestType>(bad);
}

TEMPLATE_LIST_TEST_CASE("16-bit codecs store the nearest 16-bit float, little-endian", "",
                        half_codecs)
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

TEMPLATE_LIST_TEST_CASE("every finite 16-bit float passes unchanged through its codec", "",
                        half_codecs)
{
    using codec = typename TestType::first_type;
    using half = typename TestType::second_type;
    std::vector<float> values;
    for (unsigned bits = 0; bits < 65536; ++bits) {
        const auto value = std::bit_cast<half>(static_cast<std::uint16_t>(bits));
        if (std::isfinite(static_cast<float>(value))) values.push_back(value);
    }
    CHECK(same_bits(decoded<float>(codec{}, encoded(codec{}, values), values.size()), values));
}

TEMPLATE_LIST_TEST_CASE("a 16-bit float that is not finite is refused wherever it stands", "",
                        half_codecs)
{
    using codec = typename TestType::first_type;
    using half = typename TestType::second_type;
    constexpr std::size_t n = 45;  // some are left over behind every level's vectors
    const auto refused = [](auto decode) {
        try {
            decode();
        } catch (const std::system_error& error) {
            return error.code() == errc::bad_message;
        }
        return false;
    };
    for (unsigned bits = 0; bits < 65536; ++bits) {
        const auto value = std::bit_cast<half>(static_cast<std::uint16_t>(bits));
        const bool finite = std::isfinite(static_cast<float>(value));
        if (finite && bits % 1024 != 1023) continue;
        std::vector<std::byte> encoded(2 * n);
        store(encoded.data() + 2 * (bits % n), value.bits);
        std::vector<float> sums(n);
        std::vector<double> wide(n);
        const auto all = papilio::bytes(encoded);
        REQUIRE(refused([&] { codec{}.decode(all, std::span(sums)); }) != finite);
        REQUIRE(refused([&] { codec{}.accumulate_slice(all, 0, n, std::span(sums)); }) != finite);
        REQUIRE(refused([&] { codec{}.accumulate_slice(all, 0, n, std::span(wide)); }) != finite);
    }
}

TEMPLATE_TEST_CASE("16-bit codecs refuse any but two bytes per element", "", as_f16, as_bf16)
{
    for (const std::size_t size : {0u, 1u, 3u, 5u, 6u})
        CHECK(refuses<float>(TestType{}, std::vector<std::byte>(size), 2));
    CHECK(!refuses<float>(TestType{}, std::vector<std::byte>(4), 2));
}
