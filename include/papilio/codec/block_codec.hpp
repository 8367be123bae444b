#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/encoded_size.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <system_error>

// What codecs share that cut a run into blocks, each with small codes and a scale of 16 bits.
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

/// The base of a codec whose `Format` says
/// - `block`, a multiple of 8: how many elements share a scale;
/// - `bits` per code: 1, 4 or 8;
/// - `name`, for messages;
/// - `encode(values, size, codes)`: fills the codes of a block, whose values beyond `size` are
///   zero, and returns the scale; throws `errc::not_finite`;
/// - `decode(codes, size, scale, values)`: fills a whole block; false if `encode` could not have
///   written the first `size` codes and the scale. Codes beyond `size` are zero.
///
/// Encoded, n elements are the packed codes of all blocks, then one scale per block.
template <class Format>
struct block_codec {
    static constexpr std::size_t granule = Format::block;
    static constexpr bool lossless = false;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        check_lossy_element<V>();
        return scales_at(n) + (n / granule + (n % granule != 0 ? 1 : 0)) * sizeof(std::uint16_t);
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const
    {
        check_lossy_element<V>();
        PAPILIO_CHECK(output.size() >= bound<V>(values.size()),
                      "the output is too small for the encoded elements");
        auto* scale_to = output.data() + scales_at(values.size());
        for_each_tile<granule>(values.size(), [&](std::size_t begin, auto size) {
            const V* from = values.data() + begin;
            float block[granule] = {};
            for (std::size_t i = 0; i < size; ++i) block[i] = static_cast<float>(from[i]);
            std::uint8_t codes[granule];
            const std::uint16_t scale = Format::encode(block, size, codes);
            std::fill(codes + size, codes + granule, std::uint8_t{0});
            pack(codes, size, output.data() + begin / 8 * Format::bits);
            store(scale_to, scale);
            scale_to += sizeof scale;
        });
        return bound<V>(values.size());
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        check_lossy_element<V>();
        check_encoded_size(Format::name, encoded, bound<V>(out.size()));
        const auto* scale_from = encoded.data() + scales_at(out.size());
        for_each_tile<granule>(out.size(), [&](std::size_t begin, auto size) {
            std::uint8_t codes[granule] = {};
            unpack(encoded.data() + begin / 8 * Format::bits, size, codes);
            float block[granule];
            const auto scale = load<std::uint16_t>(scale_from);
            if (!Format::decode(codes, size, scale, block)) refuse("impossible block");
            scale_from += sizeof scale;
            V* to = out.data() + begin;
            for (std::size_t i = 0; i < size; ++i) to[i] = block[i];
        });
    }

private:
    static_assert(granule % 8 == 0);
    static_assert(Format::bits == 1 || Format::bits == 4 || Format::bits == 8,
                  "block_codec packs codes of 1, 4 or 8 bits");

    static constexpr std::size_t scales_at(std::size_t n) noexcept
    {
        return packed_size(n, Format::bits);
    }

    template <class Size>
    static void pack(const std::uint8_t* codes, Size size, std::byte* to) noexcept
    {
        if constexpr (Format::bits == 8) std::memcpy(to, codes, size);
        if constexpr (Format::bits == 4) pack_nibbles(codes, size, to);
        if constexpr (Format::bits == 1) pack_bits(codes, size, to);
    }

    template <class Size>
    static void unpack(const std::byte* from, Size size, std::uint8_t* codes)
    {
        if constexpr (Format::bits == 8) std::memcpy(codes, from, size);
        if constexpr (Format::bits == 4) unpack_nibbles(from, size, codes);
        if constexpr (Format::bits == 1) unpack_bits(from, size, codes);
        if (!padded(from, size, codes)) refuse("bits set beyond the last element");
    }

    template <class Size>
    static bool padded(const std::byte* from, Size size, const std::uint8_t* codes) noexcept
    {
        if constexpr (Format::bits == 4) return size % 2 == 0 || codes[size] == 0;
        if constexpr (Format::bits == 1)
            return size % 8 == 0 || std::to_integer<unsigned>(from[size / 8]) >> size % 8 == 0;
        return true;
    }

    [[noreturn]] static void refuse(const char* what)
    {
        throw std::system_error(errc::bad_message, std::string(Format::name) + ": " + what);
    }
};

}  // namespace papilio::detail
