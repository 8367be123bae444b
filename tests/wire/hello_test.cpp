#include <papilio/wire/hello.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
namespace wire = papilio::wire;

TEST_CASE("a hello is read as it was written")
{
    const wire::hello h{.group = 0x1122334455667788,
                        .from = 0xffffffff,
                        .to = 3,
                        .connection = 4,
                        .connections = 5};
    const auto written = wire::encode(h);
    CHECK(written.size() == 32);
    CHECK(wire::parse_hello(written.data()) == h);
}

TEST_CASE("a hello offers a CRC or does not, and a welcome accepts it or not")
{
    const auto without = wire::encode(wire::hello{.from = 1});
    const auto with = wire::encode(wire::hello{.from = 1, .crc = true});
    CHECK_FALSE(wire::parse_hello(without.data()).crc);
    CHECK(wire::parse_hello(with.data()).crc);
    CHECK(wire::welcome != wire::welcome_crc);
}

TEST_CASE("a hello begins with PAPL, its version and its flags")
{
    const auto written = wire::encode(wire::hello{.from = 1});
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
    CHECK(wire::refusing_version(wire::wrong_version) == 2u);
    CHECK_FALSE(wire::refusing_version(wire::welcome));
    CHECK_FALSE(wire::refusing_version(wire::welcome_crc));
    CHECK_FALSE(wire::refusing_version(0));
}

TEST_CASE("a welcome reads PPOK")
{
    std::array<std::byte, 4> written;
    pa::store(written.data(), wire::welcome);
    CHECK(static_cast<char>(written[0]) == 'P');
    CHECK(static_cast<char>(written[3]) == 'K');
}
