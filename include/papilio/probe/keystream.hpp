#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

/// A secret key of 256 bits: draw it from the system's random source.
struct secret_key {
    std::array<std::uint32_t, 8> words{};
    friend constexpr bool operator==(const secret_key&, const secret_key&) = default;
};

/// The keystream of ChaCha20 (D. J. Bernstein; RFC 8439) with a 64-bit counter and a 64-bit nonce:
/// unpredictable without the key, whatever other part of the stream is known. Every block can be
/// computed by itself, so that chunks are made when they are needed.
class keystream {
public:
    static constexpr std::size_t block = 64;

    constexpr keystream(const secret_key& key, std::uint64_t nonce) noexcept
        : key_(key), nonce_(nonce)
    {
    }

    /// Writes the stream from byte `first_block * block` on.
    void fill(std::uint64_t first_block, mutable_bytes out) const noexcept;

    /// The first `sizeof(T)` bytes.
    template <class T>
    T first() const noexcept
    {
        std::array<std::byte, sizeof(T)> start;
        fill(0, start);
        return load<T>(start.data());
    }

private:
    static constexpr std::size_t lanes = 8;  // blocks made at once, for vector registers
    using word_lanes = std::array<std::uint32_t, lanes>;

    static void quarter(word_lanes& a, word_lanes& b, word_lanes& c, word_lanes& d) noexcept;
    void make_blocks(std::uint64_t first_block, std::byte* out) const noexcept;

    secret_key key_;
    std::uint64_t nonce_;
};

inline void keystream::quarter(word_lanes& a, word_lanes& b, word_lanes& c, word_lanes& d) noexcept
{
    for (std::size_t i = 0; i < lanes; ++i) {
        a[i] += b[i];
        d[i] = std::rotl(d[i] ^ a[i], 16);
        c[i] += d[i];
        b[i] = std::rotl(b[i] ^ c[i], 12);
        a[i] += b[i];
        d[i] = std::rotl(d[i] ^ a[i], 8);
        c[i] += d[i];
        b[i] = std::rotl(b[i] ^ c[i], 7);
    }
}

inline void keystream::make_blocks(std::uint64_t first_block, std::byte* out) const noexcept
{
    constexpr std::array<std::uint32_t, 4> constants{0x61707865, 0x3320646e, 0x79622d32,
                                                     0x6b206574};
    std::array<word_lanes, 16> start;
    for (std::size_t i = 0; i < lanes; ++i) {
        for (std::size_t w = 0; w < 4; ++w) start[w][i] = constants[w];
        for (std::size_t w = 0; w < 8; ++w) start[4 + w][i] = key_.words[w];
        const auto counter = first_block + i;
        start[12][i] = static_cast<std::uint32_t>(counter);
        start[13][i] = static_cast<std::uint32_t>(counter >> 32);
        start[14][i] = static_cast<std::uint32_t>(nonce_);
        start[15][i] = static_cast<std::uint32_t>(nonce_ >> 32);
    }
    auto x = start;
    for (int round = 0; round < 20; round += 2) {
        for (std::size_t w = 0; w < 4; ++w) quarter(x[w], x[4 + w], x[8 + w], x[12 + w]);
        for (std::size_t w = 0; w < 4; ++w)
            quarter(x[w], x[4 + (w + 1) % 4], x[8 + (w + 2) % 4], x[12 + (w + 3) % 4]);
    }
    for (std::size_t w = 0; w < 16; ++w)
        for (std::size_t i = 0; i < lanes; ++i)
            store(out + i * block + w * 4, x[w][i] + start[w][i]);
}

inline void keystream::fill(std::uint64_t first_block, mutable_bytes out) const noexcept
{
    for (; out.size() >= lanes * block; first_block += lanes) {
        make_blocks(first_block, out.data());
        out = out.subspan(lanes * block);
    }
    if (out.empty()) return;
    std::array<std::byte, lanes * block> rest;
    make_blocks(first_block, rest.data());
    std::copy_n(rest.begin(), out.size(), out.begin());
}

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

inline void check_secret(const secret_key& key)
{
    if (key == secret_key{})
        throw std::system_error(errc::bad_argument,
                                "a probe needs a secret: draw one from the system's random source");
}

}  // namespace papilio::detail
