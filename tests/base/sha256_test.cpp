#include <papilio/base/sha256.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pa = papilio;

namespace {

std::string hex_of(const pa::sha256_digest& digest)
{
    std::string text;
    for (const auto b : digest) {
        text += "0123456789abcdef"[static_cast<int>(b) >> 4];
        text += "0123456789abcdef"[static_cast<int>(b) & 15];
    }
    return text;
}

std::string sha256_hex(std::string_view text)
{
    return hex_of(pa::sha256_of(std::as_bytes(std::span(text))));
}

}  // namespace

TEST_CASE("SHA-256 gives the digests of NIST's examples")
{
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(sha256_hex("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu") ==
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 does not depend on the pieces in which its data comes")
{
    for (std::size_t size = 0; size < 200; ++size) {
        std::vector<std::byte> data(size);
        for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::byte>(7 * i + size);
        const auto whole = pa::sha256_of(data);
        for (const std::size_t piece : {1u, 3u, 63u, 64u, 65u}) {
            pa::sha256 parts;
            for (pa::bytes left = data; !left.empty();) {
                const auto next = left.first(std::min(piece, left.size()));
                parts.add(next);
                left = left.subspan(next.size());
            }
            REQUIRE(parts.digest() == whole);
        }
    }
}

TEST_CASE("a digest may be asked for before more data follows")
{
    const std::vector<std::byte> data(100, std::byte{'x'});
    pa::sha256 all;
    all.add(data);
    CHECK(all.digest() == pa::sha256_of(data));
    CHECK(all.digest() == pa::sha256_of(data));
    all.add(data);
    CHECK(all.digest() == pa::sha256_of(std::vector<std::byte>(200, std::byte{'x'})));
}
