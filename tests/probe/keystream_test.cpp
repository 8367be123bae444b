#include <papilio/probe/keystream.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace pa = papilio;

namespace {

std::string hex(pa::bytes data)
{
    std::string text;
    for (const auto b : data) {
        constexpr const char* digits = "0123456789abcdef";
        text += digits[std::to_integer<unsigned>(b) >> 4];
        text += digits[std::to_integer<unsigned>(b) & 15];
    }
    return text;
}

std::vector<std::byte> stream(const pa::keystream& s, std::uint64_t block, std::size_t size)
{
    std::vector<std::byte> out(size);
    s.fill(block, out);
    return out;
}

}  // namespace

TEST_CASE("the keystream is ChaCha20's", "[keystream]")
{
    // RFC 8439, 2.3.2: key 00..1f, counter 1, nonce 00000009 0000004a 00000000. In that layout the
    // upper half of our counter is the first word of the nonce.
    pa::secret_key key;
    for (std::uint32_t w = 0; w < 8; ++w) key.words[w] = 0x03020100u + 0x04040404u * w;
    const pa::keystream s(key, 0x00000000'4a000000ull);
    CHECK(hex(stream(s, 0x09000000'00000001ull, 64)) ==
          "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
          "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");

    // RFC 8439, appendix A.1, vector 1: everything zero.
    CHECK(hex(stream(pa::keystream({}, 0), 0, 64)) ==
          "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
          "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
}

TEST_CASE("any part of a keystream is the same however it is cut", "[keystream]")
{
    const pa::keystream s({{1, 2, 3}}, 9);
    const auto whole = stream(s, 0, 64 * 40);
    for (const std::size_t block : {0u, 1u, 7u, 8u, 9u, 20u})
        for (const std::size_t size : {0u, 1u, 63u, 64u, 65u, 512u, 513u, 1000u}) {
            const auto part = stream(s, block, size);
            CHECK(std::ranges::equal(part, pa::bytes(whole).subspan(block * 64, size)));
        }
}

TEST_CASE("keys and nonces make different streams", "[keystream]")
{
    const auto a = stream(pa::keystream({{1}}, 1), 0, 64);
    CHECK(a != stream(pa::keystream({{2}}, 1), 0, 64));
    CHECK(a != stream(pa::keystream({{1}}, 2), 0, 64));
    CHECK(a != stream(pa::keystream({{1}}, 1), 1, 64));
}
