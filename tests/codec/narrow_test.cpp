#include <papilio/codec/narrow.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

TEMPLATE_TEST_CASE("narrow integers arrive as they were", "", std::int16_t, std::int32_t,
                   std::int64_t, std::uint32_t)
{
    papilio::random numbers(1);
    for (const std::size_t n : {0u, 1u, 255u, 256u, 257u, 1000u}) {
        std::vector<TestType> values(n);
        for (auto& x : values) {
            x = static_cast<TestType>(numbers.below(128));
            if (std::is_signed_v<TestType> && numbers.below(2) == 0) x = static_cast<TestType>(~x);
        }
        check_round_trip(narrow<std::int8_t>{}, values);
        check_unaligned(narrow<std::int16_t>{}, values);
        CHECK(encoded(narrow<std::int8_t>{}, values).size() == n);
    }
}

TEST_CASE("narrow integers are added slice by slice")
{
    std::vector<std::int32_t> values(700);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i % 200) - 100;
    const auto bytes = encoded(narrow<std::int8_t>{}, values);
    std::vector<std::int32_t> sums(values);
    for (std::size_t begin = 0; begin < 700; begin += 100)
        narrow<std::int8_t>{}.accumulate_slice(papilio::bytes(bytes), begin, 700,
                                               std::span(sums).subspan(begin, 100));
    for (std::size_t i = 0; i < values.size(); ++i) REQUIRE(sums[i] == 2 * values[i]);
}

TEST_CASE("an integer that does not fit is refused, and so are bytes of another length")
{
    for (const int bad : {128, -129, 1 << 20}) {
        std::vector<std::int32_t> values(500, 5);
        values[333] = bad;
        CHECK_THROWS_AS(encoded(narrow<std::int8_t>{}, values), std::system_error);
    }
    for (const std::uint32_t bad : {128u, 255u, 256u, 4'294'967'168u, 4'294'967'295u}) {
        std::vector<std::uint32_t> values(500, 127u);
        values[333] = bad;
        CHECK_THROWS_AS(encoded(narrow<std::int8_t>{}, values), std::system_error);
    }
    CHECK_THROWS_AS(encoded(narrow<std::int8_t>{}, std::vector<std::uint8_t>{128}),
                    std::system_error);
    CHECK_NOTHROW(encoded(narrow<std::int16_t>{}, std::vector<std::uint8_t>{128, 255}));
    CHECK_NOTHROW(encoded(narrow<std::int16_t>{}, std::vector<std::int32_t>{32767, -32768}));
    CHECK(refuses<std::int32_t>(narrow<std::int16_t>{}, octets({1, 2, 3}), 2));
    CHECK(refuses<std::int32_t>(narrow<std::int8_t>{}, octets({1, 2, 3}), 2));
    CHECK(refuses<std::uint32_t>(narrow<std::int8_t>{}, octets({1, 0xff}), 2));
    CHECK(!refuses<std::uint32_t>(narrow<std::int8_t>{}, octets({1, 0x7f}), 2));
    CHECK(!refuses<std::int64_t>(narrow<std::int8_t>{}, octets({1, 0xff}), 2));
}
