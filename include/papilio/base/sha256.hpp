#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

using sha256_digest = std::array<std::byte, 32>;

/// Computes SHA-256 (NIST FIPS 180-4, section 6.2) of bytes that are given piece by piece. In
/// contrast to `checksum` and `crc32c` nobody can make up data to fit a digest. On one core some
/// hundred megabytes go by in a second: for keys, logs and documents, not for every call's data.
class sha256 {
public:
    void add(bytes data) noexcept;

    /// Of all that was added; more may follow.
    sha256_digest digest() const noexcept;

private:
    static constexpr std::size_t block_size = 64;

    void mix(const std::byte* block) noexcept;

    // The first 32 bits of the fractional parts of the square roots of the first eight primes.
    std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::byte, block_size> begun_{};  // of which `size_ % block_size` bytes are there
    std::uint64_t size_ = 0;
};

/// The digest of `data`.
inline sha256_digest sha256_of(bytes data) noexcept
{
    sha256 all;
    all.add(data);
    return all.digest();
}

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/base/impl/sha256.hpp>
#endif
