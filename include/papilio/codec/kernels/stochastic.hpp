#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>
#include <papilio/codec/kernels/packed.hpp>
#include <papilio/codec/kernels/scalar.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

// Stochastic rounding, the reference.
namespace papilio::inline PAPILIO_MODE::detail {

/// One of the two integers beside `fixed`, which counts in steps of 2^-15, the nearer one the more
/// often: so the mean is the quotient to within 2^-16. The upper 15 bits of 64 random ones decide.
constexpr std::int32_t drawn_code(std::int32_t fixed, std::uint64_t draws, std::int32_t last)
{
    const auto draw = static_cast<std::int32_t>(scramble(draws) >> 49);
    return std::clamp((fixed + draw) >> 15, -last, last);
}

/// What the largest code may be: where it would leave float's range, the one below.
template <class Format>
constexpr std::int32_t last_code(std::uint16_t scale) noexcept
{
    return scale > Format::largest_full_scale ? Format::min_largest_code : Format::largest_code;
}

template <class Format>
bool encode_block_stochastically(const float* values, std::uint64_t draws, std::int8_t* codes,
                                 std::byte* scale)
{
    float scaled[Format::block];
    if (!scale_block<Format>(values, scaled, scale)) return false;

    // No product exceeds 127 * 2^15, so that adding 1.5 * 2^23 rounds it to an integer.
    constexpr float rounder = 0x1.8p23f;
    const auto last = last_code<Format>(load<std::uint16_t>(scale));
    for (std::size_t i = 0; i < Format::block; ++i) {
        const auto fixed = std::bit_cast<std::int32_t>(scaled[i] * 0x1p15f + rounder) -
                           std::bit_cast<std::int32_t>(rounder);
        codes[i] = static_cast<std::int8_t>(drawn_code(fixed, draws + i * golden_ratio, last));
    }
    return true;
}

template <class Format>
bool write_stochastic(const float* values, std::size_t blocks, std::uint64_t draws,
                      std::byte* packed, std::byte* scales)
{
    for (std::size_t b = 0; b < blocks; ++b) {
        std::int8_t codes[Format::block];
        const bool taken = encode_block_stochastically<Format>(
            values + b * Format::block, draws + b * Format::block * golden_ratio, codes,
            scales + 2 * b);
        if (!taken) return false;
        pack_codes<Format>(codes, packed + b * packed_size(Format::block, Format::bits));
    }
    return true;
}

}  // namespace papilio::detail
