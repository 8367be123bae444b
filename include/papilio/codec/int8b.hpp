#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/base.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace papilio {

/// Eight bits per element and one 16-bit scale per 128: about a quarter of float's bytes, with an
/// error of at most 1/252 of the block's largest magnitude. Each block is x = scale * code with
/// codes from -127 to 127. Blocks whose largest magnitude is below 2^-100 become zeros.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite.
struct int8b {
    static constexpr codec_id id = codec_id::int8b;
    static constexpr std::size_t granule = 128;
    static constexpr bool lossless = false;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept;

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes room) const;

    template <element V>
    void decode(bytes encoded, std::span<V> out) const;
};

}  // namespace papilio

// The arithmetic of one block. Twins of it elsewhere must give the same bits, so each step says how
// it rounds. Loops of constant size become vector code even at -O2.
namespace papilio::detail {

inline constexpr std::size_t int8b_block = int8b::granule;

/// The largest magnitude among a block's values, as the bits of a float. Magnitudes compare like
/// integers, and a NaN exceeds every number. Halving the block again and again keeps all vector
/// units busy, where a running maximum would wait for itself.
inline std::int32_t largest_magnitude(const float* values) noexcept
{
    static_assert(int8b_block == 128);
    std::int32_t magnitudes[int8b_block];
    for (std::size_t i = 0; i < int8b_block; ++i)
        magnitudes[i] = std::bit_cast<std::int32_t>(values[i]) & 0x7fffffff;
    for (std::size_t i = 0; i < 64; ++i)
        magnitudes[i] = std::max(magnitudes[i], magnitudes[i + 64]);
    for (std::size_t i = 0; i < 32; ++i)
        magnitudes[i] = std::max(magnitudes[i], magnitudes[i + 32]);
    for (std::size_t i = 0; i < 16; ++i)
        magnitudes[i] = std::max(magnitudes[i], magnitudes[i + 16]);
    return *std::max_element(magnitudes, magnitudes + 16);
}

/// Fills `codes` and returns the scale, as the bits of a bf16.
inline std::uint16_t encode_int8b(const float* values, std::int8_t* codes)
{
    const auto largest_bits = largest_magnitude(values);
    if (largest_bits >= 0x7f800000)
        throw std::system_error(errc::not_finite, "int8b takes only finite numbers");
    const auto largest = std::bit_cast<float>(largest_bits);
    if (largest < 0x1p-100f) {
        std::fill_n(codes, int8b_block, std::int8_t{0});
        return 0;
    }

    // Rounded up, so that no code exceeds 127; the inverse is that of the scale the reader sees.
    const auto scale_bits = (std::bit_cast<std::uint32_t>(largest / 127) + 0xffff) >> 16;
    const auto inverse = 1 / bf16_value(static_cast<std::uint16_t>(scale_bits));
    float scaled[int8b_block];
    for (std::size_t i = 0; i < int8b_block; ++i) scaled[i] = values[i] * inverse;
    round_now(scaled);

    // Adding 1.5 * 2^23 rounds to an integer, ties to even, and leaves it in the low bits.
    for (std::size_t i = 0; i < int8b_block; ++i)
        codes[i] = static_cast<std::int8_t>(std::bit_cast<std::int32_t>(scaled[i] + 0x1.8p23f));
    return static_cast<std::uint16_t>(scale_bits);
}

/// Fills `values`, or throws unless `encode_int8b` could have written scale and codes: the scale is
/// zero and so are the codes, or it is positive and normal, the largest code is 126 or 127 (the
/// scale exceeds a 127th of the largest magnitude by less than 1 in 127) and all products are
/// finite.
inline void decode_int8b(const std::int8_t* codes, std::uint16_t scale_bits, float* values)
{
    std::uint8_t largest = 0;
    for (std::size_t i = 0; i < int8b_block; ++i) {
        const auto sign = static_cast<std::uint8_t>(codes[i] < 0 ? 0xff : 0);
        const auto magnitude =
            static_cast<std::uint8_t>((static_cast<std::uint8_t>(codes[i]) ^ sign) - sign);
        largest = std::max(largest, magnitude);
    }
    constexpr std::uint16_t smallest_scale = 20 << 7 | 2;  // 2^-100 / 127, rounded up
    const auto scale = bf16_value(scale_bits);
    const bool zero = scale_bits == 0 && largest == 0;
    const bool normal = scale_bits >= smallest_scale && scale_bits < 0x7f80 &&
                        (largest == 126 || largest == 127) && std::isfinite(scale * largest);
    if (!zero && !normal) throw std::system_error(errc::bad_message, "int8b: impossible block");

    for (std::size_t i = 0; i < int8b_block; ++i) values[i] = scale * static_cast<float>(codes[i]);
}

}  // namespace papilio::detail

// Encoded, n elements are n codes, then one scale per block: the codes stay aligned whatever n is.
namespace papilio {

template <element V>
constexpr std::size_t int8b::bound(std::size_t n) noexcept
{
    detail::check_lossy_element<V>();
    return n + (n / granule + (n % granule != 0 ? 1 : 0)) * sizeof(std::uint16_t);
}

template <element V>
std::size_t int8b::encode(std::span<const V> values, mutable_bytes room) const
{
    detail::check_lossy_element<V>();
    PAPILIO_CHECK(room.size() >= bound<V>(values.size()), "no room for the encoded elements");
    detail::for_each_tile<granule>(values.size(), [&](std::size_t begin, auto size) {
        const V* from = values.data() + begin;
        float block[granule] = {};
        for (std::size_t i = 0; i < size; ++i) block[i] = static_cast<float>(from[i]);
        std::int8_t codes[granule];
        const auto scale = detail::encode_int8b(block, codes);
        std::memcpy(room.data() + begin, codes, size);
        store(room.data() + values.size() + begin / granule * sizeof scale, scale);
    });
    return bound<V>(values.size());
}

template <element V>
void int8b::decode(bytes encoded, std::span<V> out) const
{
    detail::check_lossy_element<V>();
    if (encoded.size() != bound<V>(out.size()))
        throw std::system_error(errc::bad_message, "int8b: wrong number of bytes");
    detail::for_each_tile<granule>(out.size(), [&](std::size_t begin, auto size) {
        std::int8_t codes[granule] = {};
        std::memcpy(codes, encoded.data() + begin, size);
        const auto scale_at = out.size() + begin / granule * sizeof(std::uint16_t);
        float block[granule];
        detail::decode_int8b(codes, load<std::uint16_t>(encoded.data() + scale_at), block);
        V* to = out.data() + begin;
        for (std::size_t i = 0; i < size; ++i) to[i] = block[i];
    });
}

}  // namespace papilio
