#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/kernels/table.hpp>
#include <papilio/codec/scale.hpp>
#include <papilio/codec/slice.hpp>

#include <algorithm>
#include <cstring>

namespace papilio {

/// An f16 per element, under a power of two per 128 that brings the largest magnitude to 2^13 or
/// more: 16.125 bits. What `as_f16` loses, magnitudes beyond 65504 and the precision of those below
/// 2^-14, this keeps: the relative error is at most 2^-11, down to 2^-27 of the block's largest
/// magnitude. Blocks whose largest magnitude is below 2^-100 become zeros.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite.
struct f16b {
    static constexpr codec_id id = codec_id::f16b;
    static constexpr std::size_t granule = 128;
    static constexpr bool lossless = false;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        detail::check_lossy_element<V>();
        return width * (n + n / granule + (n % granule != 0 ? 1 : 0));
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes room) const
    {
        encode_slice(values, 0, values.size(), room);
        return bound<V>(values.size());
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        decode_slice(encoded, 0, out.size(), out);
    }

    template <element V>
    void encode_slice(std::span<const V> values, std::size_t begin, std::size_t n,
                      mutable_bytes room) const;

    template <element V>
    void decode_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out) const
    {
        read<false>(encoded, begin, n, out);
    }

    template <element V>
    void accumulate_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> sums) const
    {
        read<true>(encoded, begin, n, sums);
    }

private:
    static constexpr std::size_t width = 2;

    template <bool adds, element V>
    static void read(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out);
};

}  // namespace papilio

namespace papilio::detail {

/// A scale is the bits of a bf16, a power of two: 2^13 of it are the largest magnitude, rounded
/// down to a power of two.
struct f16b_scale {
    static constexpr std::uint16_t smallest = (27 - 13) << 7;  // of 2^-100
    static constexpr std::uint16_t largest = (254 - 13) << 7;

    std::uint16_t bits = 0;
    float inverse = 0;

    explicit f16b_scale(std::int32_t peak) noexcept
    {
        if (std::bit_cast<float>(peak) < smallest_peak) return;
        const auto exponent = (static_cast<std::uint32_t>(peak) >> 23) - 13;
        bits = static_cast<std::uint16_t>(exponent << 7);
        inverse = std::bit_cast<float>((254 - exponent) << 23);
    }

    /// The largest f16 that a block may hold: 2^14, to which the largest magnitude may be rounded,
    /// but less where that would leave float's range.
    static constexpr float limit(std::uint16_t bits) noexcept
    {
        return bits == largest ? 0x1.ffcp13f : 0x1p14f;
    }
};

inline void encode_f16b(const float* block, std::byte* halves, std::byte* scale)
{
    const auto peak = largest_magnitude<f16b::granule>(block);
    if (peak >= float_infinity)
        throw std::system_error(errc::not_finite, "f16b takes only finite numbers");
    const f16b_scale by(peak);
    const float limit = f16b_scale::limit(by.bits);
    store(scale, by.bits);
    if (by.bits == 0) {  // not even minus zeros
        std::memset(halves, 0, f16b::granule * sizeof(f16));
        return;
    }
    float scaled[f16b::granule];
    for (std::size_t i = 0; i < f16b::granule; ++i)
        scaled[i] = std::clamp(block[i] * by.inverse, -limit, limit);
    kernels().as_f16.encode(scaled, f16b::granule, halves);
}

/// False for a block that `encode_f16b` could not have written. Products are exact.
inline bool decode_f16b(const std::byte* halves, std::uint16_t scale, float* block)
{
    std::int16_t each[f16b::granule];
    std::memcpy(each, halves, sizeof each);
    std::int16_t largest = 0, any = 0;
    for (std::size_t i = 0; i < f16b::granule; ++i) {
        largest = std::max(largest, static_cast<std::int16_t>(each[i] & 0x7fff));
        any = static_cast<std::int16_t>(any | each[i]);
    }
    const bool known = scale % 128 == 0 && scale >= f16b_scale::smallest &&
                       scale <= f16b_scale::largest && largest >= f16(0x1p13f).bits &&
                       largest <= f16(f16b_scale::limit(scale)).bits;
    if (!known && (scale != 0 || any != 0)) return false;
    kernels().as_f16.decode(halves, f16b::granule, block);
    for (std::size_t i = 0; i < f16b::granule; ++i) block[i] *= bf16_value(scale);
    return true;
}

}  // namespace papilio::detail

// Encoded, n elements are their halves, then one scale per block.
namespace papilio {

template <element V>
void f16b::encode_slice(std::span<const V> values, std::size_t begin, std::size_t n,
                        mutable_bytes room) const
{
    detail::check_lossy_element<V>();
    PAPILIO_CHECK(room.size() >= bound<V>(n), "no room for the encoded elements");
    detail::check_slice<granule>(begin, values.size(), n);
    std::byte* to = room.data() + begin * width;
    std::byte* scale = room.data() + n * width + begin / granule * width;
    detail::for_each_tile<granule>(values.size(), [&](std::size_t at, auto size) {
        float block[granule] = {};
        for (std::size_t i = 0; i < size; ++i) block[i] = static_cast<float>(values[at + i]);
        std::byte halves[granule * width];
        detail::encode_f16b(block, halves, scale);
        std::memcpy(to + at * width, halves, size * width);
        scale += width;
    });
}

template <bool adds, element V>
void f16b::read(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out)
{
    detail::check_lossy_element<V>();
    const auto refuse = [](const char* what) {
        throw std::system_error(errc::bad_message, std::string("f16b: ") + what);
    };
    if (encoded.size() != bound<V>(n)) refuse("wrong number of bytes");
    detail::check_slice<granule>(begin, out.size(), n);
    const std::byte* from = encoded.data() + begin * width;
    const std::byte* scale = encoded.data() + n * width + begin / granule * width;
    detail::for_each_tile<granule>(out.size(), [&](std::size_t at, auto size) {
        std::byte halves[granule * width] = {};
        std::memcpy(halves, from + at * width, size * width);
        float block[granule];
        if (!detail::decode_f16b(halves, load<std::uint16_t>(scale), block))
            refuse("impossible block");
        detail::put_decoded<adds>(block, out.subspan(at, size));
        scale += width;
    });
}

}  // namespace papilio
