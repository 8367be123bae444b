#pragma once

#include "codec/hivemind/golden.hpp"
#include "contract/codec_contract.hpp"

#include <catch2/catch.hpp>

// The inputs that golden.py makes, made again.
namespace papilio::codec_testing {

/// Sums of twelve 24-bit integers from splitmix64.
inline std::vector<float> golden_normals(std::size_t n, std::uint64_t seed)
{
    std::vector<float> values(n);
    for (auto& x : values) {
        std::int64_t total = -6 * (std::int64_t{1} << 24);
        for (int i = 0; i < 12; ++i)
            total +=
                static_cast<std::int64_t>(detail::scramble(seed += detail::golden_ratio) >> 40);
        x = static_cast<float>(total) * 0x1p-24f;
    }
    return values;
}

inline std::vector<float> golden_heavy(std::size_t n, std::uint64_t seed, float offset = 0)
{
    auto values = golden_normals(n, seed);
    for (auto& x : values) x = x * x * x;
    for (auto& x : values) x += offset;
    return values;
}

template <std::size_t Size>
std::vector<float> floats_of(const std::uint32_t (&bits)[Size])
{
    std::vector<float> values;
    for (const auto b : bits) values.push_back(std::bit_cast<float>(b));
    return values;
}

/// What hivemind would send: the bytes of each argument, one after the other.
template <class... Parts>
std::vector<std::byte> message(const Parts&... parts)
{
    std::vector<std::byte> result;
    const auto append = [&](const auto& part) {
        const auto raw = std::as_bytes(std::span(part));
        result.insert(result.end(), raw.begin(), raw.end());
    };
    (append(parts), ...);
    return result;
}

inline std::array<std::int64_t, 1> count(std::int64_t value)
{
    return {value};
}

/// A codec with a codebook reads what hivemind sends, and sends the same codes of `input`.
template <class Codec, std::size_t N>
void check_golden(const std::vector<float>& input, const std::uint32_t (&codebook)[256],
                  const std::uint8_t (&codes)[N])
{
    const auto sent = message(count(256), codebook, codes);
    const auto book = floats_of(codebook);
    const auto back = decoded<float>(Codec{}, sent, N);
    for (std::size_t i = 0; i < N; ++i) REQUIRE(back[i] == book[codes[i]]);

    const auto ours = encoded(Codec{}, input);
    REQUIRE(ours.size() == sent.size());
    CHECK(std::equal(sent.begin() + 1032, sent.end(), ours.begin() + 1032));
    for (std::size_t k = 0; k < 256; ++k)
        CHECK(load<float>(ours.data() + 8 + 4 * k) == Approx(book[k]).epsilon(1e-6));
}

}  // namespace papilio::codec_testing
