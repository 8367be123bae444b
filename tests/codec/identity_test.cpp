#include <papilio/codec/identity.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

TEMPLATE_TEST_CASE("identity keeps the contract of codecs and every bit", "", float, double, f16,
                   bf16, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t,
                   std::uint16_t, std::uint32_t, std::uint64_t)
{
    codec_contract<identity, TestType>();
}

TEST_CASE("identity sends little-endian memory")
{
    CHECK(encoded(identity{}, std::vector<std::uint32_t>{0x04030201}) ==
          std::vector{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});
}

TEST_CASE("a decoder says how many bytes it expects")
{
    const std::vector<std::byte> seven(7);
    std::vector<float> two(2);
    CHECK_THROWS_WITH(
        identity{}.decode(seven, std::span(two)),
        Catch::Contains("identity: the size of the encoded elements is 8 bytes: it is 7"));
}

TEST_CASE("identity takes infinities and NaN as they are")
{
    const std::vector<float> values{INFINITY, -INFINITY, NAN, std::bit_cast<float>(0x7f800001)};
    CHECK(same_bits(decoded<float>(identity{}, encoded(identity{}, values), 4), values));
}
