#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/sha256.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
inline constexpr std::array<std::uint32_t, 64> sha256_constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// Between the standard's byte order, big-endian, and ours.
constexpr std::uint32_t reversed(std::uint32_t x) noexcept
{
    return x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24;
}

/// A block's sixteen words and the 48 that are made of them.
inline std::array<std::uint32_t, 64> sha256_schedule(const std::byte* block) noexcept
{
    std::array<std::uint32_t, 64> w;
    for (std::size_t i = 0; i < 16; ++i) w[i] = reversed(load<std::uint32_t>(block + 4 * i));
    for (std::size_t i = 16; i < 64; ++i) {
        const auto a = w[i - 15];
        const auto b = w[i - 2];
        w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] +
               (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
    }
    return w;
}

}  // namespace detail

PAPILIO_DECL void sha256::mix(const std::byte* block) noexcept
{
    const auto w = detail::sha256_schedule(block);
    auto [a, b, c, d, e, f, g, h] = state_;
    for (std::size_t i = 0; i < 64; ++i) {
        const auto chosen = (e & f) ^ (~e & g);
        const auto majority = (a & b) ^ (a & c) ^ (b & c);
        const auto t = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + chosen +
                       detail::sha256_constants[i] + w[i];
        const auto u = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + majority;
        h = g;
        g = f;
        f = e;
        e = d + t;
        d = c;
        c = b;
        b = a;
        a = t + u;
    }
    const std::array<std::uint32_t, 8> mixed{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) state_[i] += mixed[i];
}

PAPILIO_DECL void sha256::add(bytes data) noexcept
{
    const auto held = static_cast<std::size_t>(size_ % block_size);
    size_ += data.size();
    if (held > 0) {
        const auto more = data.first(std::min(data.size(), block_size - held));
        std::ranges::copy(more, begun_.begin() + static_cast<std::ptrdiff_t>(held));
        if (held + more.size() < block_size) return;
        mix(begun_.data());
        data = data.subspan(more.size());
    }
    for (; data.size() >= block_size; data = data.subspan(block_size)) mix(data.data());
    std::ranges::copy(data, begun_.begin());
}

PAPILIO_DECL sha256_digest sha256::digest() const noexcept
{
    // Behind the data: a bit 1, zeros up to eight bytes before a block's end, the length in bits.
    auto last = *this;
    const std::array<std::byte, block_size> padding{std::byte{0x80}};
    const auto held = static_cast<std::size_t>(size_ % block_size);
    last.add(bytes(padding).first((held < 56 ? 56 : 120) - held));
    std::array<std::byte, 8> bits;
    for (std::size_t i = 0; i < 8; ++i) bits[i] = static_cast<std::byte>(8 * size_ >> (56 - 8 * i));
    last.add(bits);

    sha256_digest digest;
    for (std::size_t i = 0; i < 8; ++i)
        store(digest.data() + 4 * i, detail::reversed(last.state_[i]));
    return digest;
}

}  // namespace papilio
