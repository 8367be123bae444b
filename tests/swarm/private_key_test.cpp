#include <papilio/swarm/private_key.hpp>

#include <papilio/wire/signed.hpp>

#include "support/scratch_folder.hpp"
#include "support/thrown.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

namespace pa = papilio;

static_assert(pa::signer<pa::private_key>);
static_assert(pa::verifier<pa::ed25519_verifier>);

namespace {

std::vector<std::byte> from_hex(std::string_view hex)
{
    const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::vector<std::byte> data;
    for (std::size_t i = 0; i < hex.size(); i += 2)
        data.push_back(static_cast<std::byte>(16 * value(hex[i]) + value(hex[i + 1])));
    return data;
}

template <class T>
T filled(std::string_view hex)
{
    T made;
    std::ranges::copy(from_hex(hex), made.bytes.begin());
    return made;
}

std::string key_file(const pa::test::scratch_folder& in, const std::string& name,
                     std::string_view text)
{
    const auto path = in.file(name, text);
    ::chmod(path.c_str(), 0600);
    return path;
}

// The second test vector of RFC 8032, section 7.1.
const auto vector_key =
    filled<pa::public_key>("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
const auto vector_signature = filled<pa::signature>(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");

/// Its private key, as PKCS #8 has it (RFC 8410), in base64.
constexpr std::string_view vector_pem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
    "-----END PRIVATE KEY-----\n";

// Made by `openssl genpkey -algorithm x25519`, and by `-algorithm ed25519 -aes256 -pass pass:x`.
constexpr std::string_view other_kind_pem = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIIh2lRgyA10pCKf56DaGFWgjwmHrxMxwtPCbaYJDpHpx
-----END PRIVATE KEY-----
)";
constexpr std::string_view encrypted_pem = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj7hqP+DhFi5AICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAb4Nl5aqzBH1MWUXZex2yMEQBWc
ZO3m22fBYhWeWQD6/PM7vCeX6tQ+QiVxS8Yr4xyGlsTHL9SOqUkG7gZiwMMFqUoc
INwdRVIq4eHMcHdscAQ=
-----END ENCRYPTED PRIVATE KEY-----
)";

}  // namespace

TEST_CASE("a signature is checked as RFC 8032 says")
{
    const auto message = from_hex("72");
    const pa::ed25519_verifier verify;
    CHECK(verify(vector_key, message, vector_signature));
    CHECK_FALSE(verify(vector_key, from_hex("73"), vector_signature));
    CHECK_FALSE(verify(vector_key, from_hex("7272"), vector_signature));
    auto other = vector_signature;
    other.bytes[63] ^= std::byte{1};
    CHECK_FALSE(verify(vector_key, message, other));
    auto stranger = vector_key;
    stranger.bytes[0] ^= std::byte{1};
    CHECK_FALSE(verify(stranger, message, vector_signature));
}

TEST_CASE("a key that signs anything has signed nothing")
{
    // R = A = the neutral element, S = 0: OpenSSL takes it for a signature of any message.
    pa::public_key key{};
    key.bytes[0] = std::byte{1};
    pa::signature proof{};
    proof.bytes[0] = std::byte{1};
    CHECK_FALSE(pa::ed25519_verifier()(key, from_hex("72"), proof));
}

TEST_CASE("a key that others have made is loaded, and signs as RFC 8032 says")
{
    const pa::test::scratch_folder here;
    const auto me = pa::private_key::load(key_file(here, "key.pem", vector_pem));
    CHECK(me.key() == vector_key);
    CHECK(me.sign(from_hex("72")) == vector_signature);
}

TEST_CASE("what a private key has signed is verified by its public half, and by no other")
{
    const auto one = pa::private_key::generate();
    const auto two = pa::private_key::generate();
    CHECK(one.key() != two.key());
    const std::vector<std::byte> message(1000, std::byte{7});
    const auto proof = one.sign(message);
    CHECK(pa::ed25519_verifier()(one.key(), message, proof));
    CHECK_FALSE(pa::ed25519_verifier()(two.key(), message, proof));
    CHECK(pa::ed25519_verifier()(one.key(), {}, one.sign({})));
}

TEST_CASE("a private key that was created is loaded again, and never replaced by another")
{
    const pa::test::scratch_folder here;
    const std::string path = here.path() / "identity.pem";
    const auto made = pa::private_key::create(path);
    CHECK(pa::private_key::load(path).key() == made.key());
    CHECK(pa::test::thrown_by([&] { pa::private_key::create(path); }) == std::errc::file_exists);
    CHECK(pa::private_key::load_or_create(path).key() == made.key());
    const std::string other = here.path() / "other.pem";
    const auto created = pa::private_key::load_or_create(other);
    CHECK(created.key() != made.key());
    CHECK(pa::private_key::load(other).key() == created.key());
}

TEST_CASE("a file without an ed25519 key that can be read is refused, and nobody is asked anything")
{
    const pa::test::scratch_folder here;
    const auto refused = [&](std::string_view text) {
        const auto path = key_file(here, "key.pem", text);
        return pa::test::thrown_by([&] { pa::private_key::load(path); }) == pa::errc::bad_argument;
    };
    CHECK(refused(""));
    CHECK(refused("not a key"));
    CHECK(refused(vector_pem.substr(0, vector_pem.size() / 2)));
    CHECK(refused(other_kind_pem));
    CHECK(refused(encrypted_pem));
}

TEST_CASE("a signed document convinces whoever knows the key of its signer")
{
    const auto me = pa::private_key::generate();
    const std::vector<std::byte> body(40, std::byte{3});
    const pa::wire::envelope head{
        .kind = pa::wire::signed_kind::done, .key = {}, .sequence = 1, .expires = 1000};
    const auto document = pa::wire::sign_document(head, body, me);
    const pa::wire::expected_document want{
        .kind = pa::wire::signed_kind::done, .key = me.key(), .now = 990, .largest_body = 40};
    const auto read = pa::wire::read_document(document, want, pa::ed25519_verifier());
    CHECK(std::ranges::equal(read.body, body));
    auto forged = document;
    forged[85] ^= std::byte{1};
    CHECK(pa::test::thrown_by([&] {
              pa::wire::read_document(forged, want, pa::ed25519_verifier());
          }) == pa::errc::corrupted);
}
