#include <papilio/sim/toy_signer.hpp>

#include <papilio/wire/signed.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <vector>

namespace pa = papilio;

static_assert(pa::signer<pa::sim::toy_signer>);
static_assert(pa::verifier<pa::sim::toy_verifier>);

TEST_CASE("a toy signature is that of its key under its message, and of nothing else")
{
    const pa::sim::toy_signer one(1);
    const pa::sim::toy_signer two(2);
    const pa::sim::toy_verifier verify;
    std::vector<std::byte> message(20, std::byte{7});
    const auto proof = one.sign(message);
    CHECK(verify(one.key(), message, proof));
    CHECK_FALSE(verify(two.key(), message, proof));
    for (std::size_t at = 0; at < proof.bytes.size(); ++at) {
        auto other = proof;
        other.bytes[at] ^= std::byte{1};
        CHECK_FALSE(verify(one.key(), message, other));
    }
    message[19] = std::byte{8};
    CHECK_FALSE(verify(one.key(), message, proof));
}

TEST_CASE("toy signers of one seed are the same one, and those of others are not")
{
    CHECK(pa::sim::toy_signer(5).key() == pa::sim::toy_signer(5).key());
    CHECK(pa::sim::toy_signer(5).key() != pa::sim::toy_signer(6).key());
}
