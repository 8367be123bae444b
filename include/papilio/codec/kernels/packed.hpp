#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/base.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

// How small codes lie side by side, and the reference's loops over whole blocks of them.
namespace papilio::inline PAPILIO_MODE::detail {

/// How many bytes `count` codes of `bits` bits take.
constexpr std::size_t packed_size(std::size_t count, unsigned bits) noexcept
{
    return count / 8 * bits + (count % 8 * bits + 7) / 8;
}

/// Codes of 4 bits, one per byte in `codes`, lie in pairs: the first half in the lower halves of
/// the bytes, the second in the upper. Vector units then need not shuffle.
template <class Size>
void pack_nibbles(const std::uint8_t* codes, Size size, std::byte* to) noexcept
{
    const std::size_t half = (size + 1) / 2;
    for (std::size_t i = 0; i < half; ++i)
        to[i] = static_cast<std::byte>(codes[i] | codes[half + i] << 4);
}

template <class Size>
void unpack_nibbles(const std::byte* from, Size size, std::uint8_t* codes) noexcept
{
    const std::size_t half = (size + 1) / 2;
    for (std::size_t i = 0; i < half; ++i) {
        codes[i] = static_cast<std::uint8_t>(from[i]) & 15;
        codes[half + i] = static_cast<std::uint8_t>(from[i]) >> 4;
    }
}

/// Codes of 1 bit, one per byte in `codes`: bit i mod 8 of byte i / 8. The product moves the lowest
/// bits of eight bytes into one, and no two of its terms meet.
inline void pack_bits(const std::uint8_t* codes, std::size_t size, std::byte* to) noexcept
{
    for (std::size_t i = 0; i < size; i += 8) {
        std::uint64_t eight;
        std::memcpy(&eight, codes + i, sizeof eight);
        to[i / 8] = static_cast<std::byte>(eight * 0x0102040810204080 >> 56);
    }
}

inline void unpack_bits(const std::byte* from, std::size_t size, std::uint8_t* codes) noexcept
{
    for (std::size_t i = 0; i < size; ++i)
        codes[i] = static_cast<std::uint8_t>(from[i / 8]) >> i % 8 & 1;
}

template <unsigned bits, class Size>
void pack(const std::uint8_t* codes, Size size, std::byte* to) noexcept
{
    static_assert(bits == 1 || bits == 4 || bits == 8, "codes of 1, 4 or 8 bits are packed");
    if constexpr (bits == 8) std::memcpy(to, codes, size);
    if constexpr (bits == 4) pack_nibbles(codes, size, to);
    if constexpr (bits == 1) pack_bits(codes, size, to);
}

template <unsigned bits, class Size>
void unpack(const std::byte* from, Size size, std::uint8_t* codes) noexcept
{
    if constexpr (bits == 8) std::memcpy(codes, from, size);
    if constexpr (bits == 4) unpack_nibbles(from, size, codes);
    if constexpr (bits == 1) unpack_bits(from, size, codes);
}

/// Encodes a block of a `Format`, as block_codec.hpp describes it, of which `size` values count.
/// Those beyond are zero. False if one is not finite.
template <class Format, class Size>
bool write_block(const float* values, Size size, std::byte* packed, std::byte* scale)
{
    std::uint8_t codes[Format::block];
    std::uint16_t bits = 0;
    if (!Format::encode(values, size, codes, bits)) return false;
    std::fill(codes + size, codes + Format::block, std::uint8_t{0});
    pack<Format::bits>(codes, size, packed);
    store(scale, bits);
    return true;
}

template <class Format>
bool write_blocks(const float* values, std::size_t blocks, std::byte* codes, std::byte* scales)
{
    constexpr std::size_t block = Format::block;
    for (std::size_t b = 0; b < blocks; ++b) {
        const bool taken =
            write_block<Format>(values + b * block, std::integral_constant<std::size_t, block>{},
                                codes + b * packed_size(block, Format::bits), scales + 2 * b);
        if (!taken) return false;
    }
    return true;
}

template <class Format, bool adds>
bool read_blocks(const std::byte* packed, const std::byte* scales, std::size_t blocks,
                 float* values)
{
    constexpr std::integral_constant<std::size_t, Format::block> size;
    for (std::size_t b = 0; b < blocks; ++b) {
        std::uint8_t codes[size];
        unpack<Format::bits>(packed + b * packed_size(size, Format::bits), size, codes);
        float block[size];
        if (!Format::decode(codes, size, load<std::uint16_t>(scales + 2 * b), block)) return false;
        float* to = values + b * size;
        for (std::size_t i = 0; i < size; ++i) to[i] = adds ? to[i] + block[i] : block[i];
    }
    return true;
}

template <class Format>
inline constexpr block_kernels reference_blocks{write_blocks<Format>, read_blocks<Format, false>,
                                                read_blocks<Format, true>};

}  // namespace papilio::detail
