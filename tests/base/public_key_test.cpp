#include <papilio/base/public_key.hpp>

#include <papilio/base/random.hpp>

#include "support/thrown.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>

namespace pa = papilio;

namespace {

pa::public_key key_of_hex(std::string_view hex)
{
    const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    pa::public_key key;
    for (std::size_t i = 0; i < key.bytes.size(); ++i)
        key.bytes[i] = static_cast<std::byte>(16 * value(hex[2 * i]) + value(hex[2 * i + 1]));
    return key;
}

pa::public_key random_key(std::uint64_t seed)
{
    pa::random random(seed);
    pa::public_key key;
    for (auto& b : key.bytes) b = static_cast<std::byte>(random.below(256));
    return key;
}

// The first test vector of RFC 8032, section 7.1, and its id by Python's hashlib and base64.
const auto example = key_of_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
constexpr std::string_view example_text =
    "pap125njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenayne7";

bool key_refused(std::string_view text)
{
    return pa::test::thrown_by([&] { pa::parse_public_key(text); }) == pa::errc::bad_argument;
}

}  // namespace

TEST_CASE("the text of a key is the base32 of its bytes and of three more that check them")
{
    CHECK(pa::to_text(example) == example_text);
    CHECK(pa::abbreviated(example) == "25njqamc");
}

TEST_CASE("a key is read as it was written")
{
    CHECK(pa::parse_public_key(example_text) == example);
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        auto key = random_key(seed);
        key.bytes[31] &= std::byte{0xfe};  // below 2^255 - 19, with either sign
        CHECK(pa::parse_public_key(pa::to_text(key)) == key);
    }
}

TEST_CASE("a key of which any one character is another one is refused")
{
    for (std::size_t at = 0; at < example_text.size(); ++at) {
        for (const char other : std::string_view("abcdefghijklmnopqrstuvwxyz234567A10-= \n")) {
            if (other == example_text[at]) continue;
            std::string text(example_text);
            text[at] = other;
            REQUIRE(key_refused(text));
        }
    }
}

TEST_CASE("a key that is cut, longer or in capital letters is refused")
{
    for (std::size_t size = 0; size < example_text.size(); ++size)
        CHECK(key_refused(example_text.substr(0, size)));
    CHECK(key_refused(std::string(example_text) + "a"));
    CHECK(key_refused(" " + std::string(example_text)));
    std::string capital(example_text);
    capital[4] = '2';
    capital[5] = '5';
    capital[6] = 'N';
    CHECK(key_refused(capital));
}

TEST_CASE("keys that sign anything, or have a second spelling, prove nothing")
{
    for (const auto* y : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
        auto key = key_of_hex(y);
        CHECK(pa::proves_nothing(key));
        CHECK(key_refused(pa::to_text(key)));
        key.bytes[31] ^= std::byte{0x80};
        CHECK(pa::proves_nothing(key));
        key.bytes[3] ^= std::byte{0x10};
        key.bytes[31] = std::byte{0};
        CHECK_FALSE(pa::proves_nothing(key));
    }
    CHECK_FALSE(pa::proves_nothing(example));
}

TEST_CASE("keys have an order, and a hash")
{
    const auto less = random_key(1);
    auto more = less;
    more.bytes[31] = less.bytes[31] == std::byte{0xff} ? std::byte{0} : std::byte{0xff};
    CHECK((less < more) != (more < less));
    std::unordered_set<pa::public_key> all;
    for (std::uint64_t seed = 0; seed < 100; ++seed) all.insert(random_key(seed));
    CHECK(all.size() == 100);
    CHECK(all.contains(random_key(42)));
    CHECK_FALSE(all.contains(random_key(142)));
}
