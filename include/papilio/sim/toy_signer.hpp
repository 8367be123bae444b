#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/public_key.hpp>
#include <papilio/base/random.hpp>
#include <papilio/base/sha256.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::sim {

/// Checks what a `toy_signer` has signed. It takes no more than the public key to make such a
/// signature: an adversary in a test must not be given the signers of others.
struct toy_verifier {
    bool operator()(const public_key& key, bytes message, const signature& proof) const noexcept
    {
        return sign(key, message) == proof;
    }

    static signature sign(const public_key& key, bytes message) noexcept
    {
        signature proof;
        auto to = proof.bytes.begin();
        for (const auto half : {std::byte{1}, std::byte{2}}) {
            sha256 all;
            all.add(key.bytes);
            all.add({&half, 1});
            all.add(message);
            to = std::ranges::copy(all.digest(), to).out;
        }
        return proof;
    }
};

/// A signer for simulations: the same key and the same signatures for the same seed, at a
/// thousandth of ed25519's cost, and of no worth outside of a simulation.
class toy_signer {
public:
    explicit toy_signer(std::uint64_t seed)
    {
        random numbers(seed);
        do {
            for (auto& b : key_.bytes) b = static_cast<std::byte>(numbers.below(256));
        } while (proves_nothing(key_));
    }

    const public_key& key() const noexcept { return key_; }
    signature sign(bytes message) const noexcept { return toy_verifier::sign(key_, message); }

private:
    public_key key_;
};

}  // namespace papilio::sim
