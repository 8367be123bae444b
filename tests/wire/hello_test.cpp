#include <papilio/wire/hello.hpp>

#include <catch2/catch.hpp>

#include <array>

namespace pa = papilio;
namespace wire = papilio::wire;

TEST_CASE("a hello is read as it was written")
{
    const wire::hello h{.group = 0x1122334455667788,
                        .from = 0xffffffff,
                        .to = 3,
                        .connection = 4,
                        .connections = 5,
                        .generation = 6,
                        .process = 0x0102030405060708,
                        .to_process = 0xf1f2f3f4f5f6f7f8,
                        .host = 0xe1e2e3e4e5e6e7e8};
    const auto written = wire::encode(h);
    CHECK(written.size() == 64);
    CHECK(written[32] == std::byte{6});
    CHECK(written[40] == std::byte{8});
    CHECK(written[48] == std::byte{0xf8});
    CHECK(written[56] == std::byte{0xe8});
    CHECK(wire::parse_hello(written.data()) == h);
}

TEST_CASE("a hello offers a CRC or does not, and a welcome accepts it or not")
{
    const auto without = wire::encode(wire::hello{.from = 1, .process = 1});
    const auto with = wire::encode(wire::hello{.from = 1, .crc = true, .process = 1});
    CHECK_FALSE(wire::parse_hello(without.data()).crc);
    CHECK(wire::parse_hello(with.data()).crc);
    for (const bool crc : {true, false}) {
        const wire::welcome w{crc, 0x0102030405060708, 0x1112131415161718};
        const auto written = wire::encode(w);
        CHECK(written.size() == 20);
        CHECK(written[4] == std::byte{8});
        CHECK(written[12] == std::byte{0x18});
        CHECK(wire::parse_welcome(written.data(), true) == w);
    }
}

TEST_CASE("a welcome that accepts a CRC nobody offered, or names no process, is refused")
{
    const auto crc = wire::encode(wire::welcome{true, 1, 0});
    CHECK_THROWS_AS(wire::parse_welcome(crc.data(), false), std::system_error);
    const auto nobody = wire::encode(wire::welcome{false, 0, 0});
    CHECK_THROWS_AS(wire::parse_welcome(nobody.data(), false), std::system_error);
    std::array<std::byte, wire::welcome::encoded_size> closed{};
    CHECK_THROWS_AS(wire::parse_welcome(closed.data(), true), std::system_error);
}

TEST_CASE("a hello with credentials, of which there are none yet, is refused by their length alone")
{
    for (const std::size_t at : {36u, 37u, 38u, 39u}) {
        auto written = wire::encode(wire::hello{.from = 1, .process = 1});
        written[at] = std::byte{0x80};
        CHECK_THROWS_WITH(wire::parse_hello(written.data()), Catch::Contains("credentials"));
    }
}

TEST_CASE("a hello that does not say which process it is from is refused")
{
    const auto written = wire::encode(wire::hello{.from = 1, .to_process = 5});
    CHECK_THROWS_WITH(wire::parse_hello(written.data()), Catch::Contains("which process"));
}

TEST_CASE("a hello begins with PAPL, its version and its flags")
{
    const auto written = wire::encode(wire::hello{.from = 1, .process = 1});
    CHECK(static_cast<char>(written[0]) == 'P');
    CHECK(static_cast<char>(written[1]) == 'A');
    CHECK(static_cast<char>(written[2]) == 'P');
    CHECK(static_cast<char>(written[3]) == 'L');
    CHECK(written[4] == std::byte{2});
    CHECK(written[16] == std::byte{1});
    for (std::size_t i = 0; i < 8; ++i) {
        auto other = written;
        other[i] ^= std::byte{4};
        CHECK_THROWS_AS(wire::parse_hello(other.data()), std::system_error);
    }
}

TEST_CASE("a hello of another version is told from a stranger, and both versions are named")
{
    auto other = wire::encode(wire::hello{.from = 1});
    CHECK(wire::hello_version(other.data()) == 2);
    other[4] = std::byte{7};
    CHECK(wire::hello_version(other.data()) == 7);
    CHECK_THROWS_WITH(wire::parse_hello(other.data()),
                      Catch::Contains("speaks version 7 of the wire, and this peer version 2"));
    other[0] = {};
    CHECK_FALSE(wire::hello_version(other.data()));
    CHECK_THROWS_WITH(wire::parse_hello(other.data()), Catch::Contains("no hello"));
    std::array<std::byte, wire::welcome::encoded_size> answer{};  // of which four bytes are said
    pa::store(answer.data(), std::uint32_t{0x09565050});
    CHECK_THROWS_WITH(wire::parse_welcome(answer.data(), false),
                      Catch::Contains("speaks version 9 of the wire, and this peer version 2"));
}

TEST_CASE("a welcome begins with PPOK, or with PPOC where it accepts a CRC")
{
    const auto plain = wire::encode(wire::welcome{false, 1, 0});
    const auto crc = wire::encode(wire::welcome{true, 1, 0});
    CHECK(static_cast<char>(plain[0]) == 'P');
    CHECK(static_cast<char>(plain[3]) == 'K');
    CHECK(static_cast<char>(crc[3]) == 'C');
}
