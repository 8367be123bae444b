#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/finite.hpp>
#include <papilio/codec/kernels/base.hpp>
#include <papilio/codec/kernels/uniform8.hpp>
#include <papilio/codec/scale.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

// The reference: what every other level must equal, and what machines without one run. Each step
// says how it rounds. Loops of constant size become vector code even at -O2.
namespace papilio::inline PAPILIO_MODE::detail {

// ---- 16-bit floats.

/// A float as a `Half`, whose largest finite value has the bits `largest`: rounded, with finite
/// numbers brought within what a finite `Half` can hold.
template <class Half, std::uint16_t largest>
constexpr Half narrowed(float value) noexcept
{
    const Half half(value);
    const bool overflowed = (half.bits & 0x7fff) > largest;
    const auto excess = select(overflowed, 1, 0) & select(is_finite(value), 1, 0);
    return std::bit_cast<Half>(static_cast<std::uint16_t>(half.bits - excess));
}

/// Whether what was narrowed is finite, and so what it was narrowed from.
template <std::size_t tile>
struct half_magnitudes {
    std::int16_t largest[tile] = {};

    template <class Half, class Size>
    void add(const Half* part, Size size) noexcept
    {
        for (std::size_t i = 0; i < size; ++i)
            largest[i] = std::max(largest[i], static_cast<std::int16_t>(part[i].bits & 0x7fff));
    }
    bool within(std::uint16_t most) const noexcept
    {
        return *std::max_element(largest, largest + tile) <= most;
    }
};

template <class Half, std::uint16_t largest>
bool encode_halves(const float* values, std::size_t n, std::byte* encoded)
{
    constexpr std::size_t tile = 128;
    half_magnitudes<tile> magnitudes;
    for_each_tile<tile>(n, [&](std::size_t begin, auto size) {
        Half part[tile];
        for (std::size_t i = 0; i < size; ++i) part[i] = narrowed<Half, largest>(values[begin + i]);
        magnitudes.add(part, size);
        std::memcpy(encoded + begin * sizeof(Half), part, size * sizeof(Half));
    });
    return magnitudes.within(largest);
}

/// `adds`: to what `values` holds already.
template <class Half, std::uint16_t largest, bool adds>
bool decode_halves(const std::byte* encoded, std::size_t n, float* values)
{
    constexpr std::size_t tile = 128;
    half_magnitudes<tile> magnitudes;
    for_each_tile<tile>(n, [&](std::size_t begin, auto size) {
        Half part[tile];
        std::memcpy(part, encoded + begin * sizeof(Half), size * sizeof(Half));
        magnitudes.add(part, size);
        float* to = values + begin;
        for (std::size_t i = 0; i < size; ++i)
            to[i] = adds ? to[i] + static_cast<float>(part[i]) : static_cast<float>(part[i]);
    });
    return magnitudes.within(largest);
}

// ---- Blocks with a scale.

/// How a block is scaled: by zero where all its codes are.
struct block_scale {
    std::uint16_t bits;  // of the scale, a bf16
    float inverse;
};

/// The scale of a block by its largest magnitude, which is finite: over the largest code, rounded
/// up to bf16 so that no code exceeds the largest. The inverse is that of the scale the reader
/// sees.
template <class Format>
constexpr block_scale scale_of(std::int32_t largest) noexcept
{
    const auto magnitude = std::bit_cast<float>(largest);
    if (magnitude < smallest_peak) return {0, 0};
    const auto quotient = magnitude / static_cast<float>(Format::largest_code);
    const auto rounded =
        static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(quotient) + 0xffff) >> 16);
    const auto bits = rounded < Format::largest_scale ? rounded : Format::largest_scale;
    return {bits, 1 / bf16_value(bits)};
}

/// Lays a block's codes side by side: one per byte, or with four bits the block's first half in the
/// lower and its second half in the upper halves of the bytes.
template <class Format>
void pack_codes(const std::int8_t* codes, std::byte* packed) noexcept
{
    if constexpr (Format::bits == 8) {
        std::memcpy(packed, codes, Format::block);
    } else {
        constexpr auto half = Format::block / 2;
        for (std::size_t i = 0; i < half; ++i)
            packed[i] = static_cast<std::byte>((codes[i] & 0x0f) | (codes[i + half] & 0x0f) << 4);
    }
}

template <class Format>
void unpack_codes(const std::byte* packed, std::int8_t* codes) noexcept
{
    if constexpr (Format::bits == 8) {
        std::memcpy(codes, packed, Format::block);
    } else {
        constexpr auto half = Format::block / 2;
        for (std::size_t i = 0; i < half; ++i) {
            const auto both = std::to_integer<int>(packed[i]);
            codes[i] = static_cast<std::int8_t>(((both & 0x0f) ^ 8) - 8);
            codes[i + half] = static_cast<std::int8_t>(((both >> 4) ^ 8) - 8);
        }
    }
}

/// Stores the scale of a block, and divides its values by it. False if one is not finite.
template <class Format>
bool scale_block(const float* values, float (&scaled)[Format::block], std::byte* scale)
{
    const auto largest = largest_magnitude<Format::block>(values);
    if (largest >= float_infinity) return false;
    const auto by = scale_of<Format>(largest);
    store(scale, by.bits);
    for (std::size_t i = 0; i < Format::block; ++i) scaled[i] = values[i] * by.inverse;
    round_now(scaled);
    return true;
}

template <class Format>
bool encode_block(const float* values, std::byte* packed, std::byte* scale)
{
    float scaled[Format::block];
    if (!scale_block<Format>(values, scaled, scale)) return false;

    // Adding 1.5 * 2^23 rounds to an integer, ties to even, and leaves it in the low bits.
    std::int8_t codes[Format::block];
    for (std::size_t i = 0; i < Format::block; ++i)
        codes[i] = static_cast<std::int8_t>(std::bit_cast<std::int32_t>(scaled[i] + 0x1.8p23f));
    pack_codes<Format>(codes, packed);
    return true;
}

/// False unless `encode_block` could have written codes and scale: the scale is zero and so are
/// the codes, or it is positive and normal, the largest code is as large as it must be, and all
/// products are finite. These are exact, so that adding one rounds once, fused or not.
template <class Format>
bool decode_block(const std::byte* packed, const std::byte* scale_at, float* values)
{
    std::int8_t codes[Format::block];
    unpack_codes<Format>(packed, codes);
    std::uint8_t largest = 0;
    for (std::size_t i = 0; i < Format::block; ++i) {
        const auto sign = static_cast<std::uint8_t>(codes[i] < 0 ? 0xff : 0);
        const auto magnitude =
            static_cast<std::uint8_t>((static_cast<std::uint8_t>(codes[i]) ^ sign) - sign);
        largest = std::max(largest, magnitude);
    }
    const auto scale_bits = load<std::uint16_t>(scale_at);
    const auto scale = bf16_value(scale_bits);
    const bool zero = scale_bits == 0 && largest == 0;
    const bool normal = scale_bits >= Format::smallest_scale &&
                        scale_bits <= Format::largest_scale &&
                        largest >= Format::min_largest_code && largest <= Format::largest_code &&
                        std::isfinite(scale * largest);
    if (!zero && !normal) return false;

    for (std::size_t i = 0; i < Format::block; ++i)
        values[i] = scale * static_cast<float>(codes[i]);
    return true;
}

template <class Format>
bool encode_blocks(const float* values, std::size_t blocks, std::byte* codes, std::byte* scales)
{
    constexpr auto code_bytes = Format::block * Format::bits / 8;
    for (std::size_t b = 0; b < blocks; ++b) {
        const bool taken = encode_block<Format>(values + b * Format::block, codes + b * code_bytes,
                                                scales + b * sizeof(std::uint16_t));
        if (!taken) return false;
    }
    return true;
}

template <class Format, bool adds>
bool decode_blocks(const std::byte* codes, const std::byte* scales, std::size_t blocks,
                   float* values)
{
    constexpr auto code_bytes = Format::block * Format::bits / 8;
    for (std::size_t b = 0; b < blocks; ++b) {
        float block[Format::block];
        float* to = values + b * Format::block;
        const bool plausible = decode_block<Format>(
            codes + b * code_bytes, scales + b * sizeof(std::uint16_t), adds ? block : to);
        if (!plausible) return false;
        if constexpr (adds)
            for (std::size_t i = 0; i < Format::block; ++i) to[i] += block[i];
    }
    return true;
}

template <class Format>
inline constexpr block_kernels scalar_blocks{encode_blocks<Format>, decode_blocks<Format, false>,
                                             decode_blocks<Format, true>};

template <class Half, std::uint16_t largest>
inline constexpr half_kernels scalar_halves{encode_halves<Half, largest>,
                                            decode_halves<Half, largest, false>,
                                            decode_halves<Half, largest, true>};

inline constexpr kernel_table scalar_kernels{
    isa::scalar,
    scalar_halves<f16, 0x7bff>,
    scalar_halves<bf16, 0x7f7f>,
    scalar_blocks<int8b_format>,
    scalar_blocks<int4b_format<32>>,
    scalar_blocks<int4b_format<128>>,
    scalar_uniform8,
};

}  // namespace papilio::detail
