#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/half_scale.hpp>
#include <papilio/codec/kernels/table.hpp>
#include <papilio/codec/scale.hpp>
#include <papilio/codec/slice.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

/// An f16 per element, under a power of two per 128 that brings the largest magnitude to 2^13 or
/// more: 16.125 bits. Unlike `as_f16` it keeps magnitudes beyond 65504, and the precision of those
/// below 2^-14: the relative error is at most 2^-11, down to 2^-27 of the block's largest
/// magnitude. Blocks whose largest magnitude is below 2^-100 become zeros.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite.
struct f16b : detail::slice_codec<f16b> {
    static constexpr codec_id id = codec_id::f16b;
    static constexpr std::size_t granule = 128;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        detail::check_lossy_element<V>();
        return width * (n + n / granule + (n % granule != 0 ? 1 : 0));
    }

private:
    friend detail::slice_codec<f16b>;

    static constexpr const char* label() noexcept { return "f16b"; }
    static constexpr std::size_t width = 2;

    template <element V>
    static void write(std::span<const V> values, std::size_t begin, std::size_t n,
                      mutable_bytes output);

    template <bool adds, element V>
    static void read(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out);
};

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

inline void encode_f16b(const float* block, std::byte* halves, std::byte* scale)
{
    const half_scale by(finite_peak<f16b::granule>(block, "f16b"));
    const float limit = f16_value(half_scale::most(by.bits));
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
    const bool known = half_scale::possible(scale) && largest >= half_scale::least &&
                       largest <= half_scale::most(scale);
    if (!known && (scale != 0 || any != 0)) return false;
    kernels().as_f16.decode(halves, f16b::granule, block);
    for (std::size_t i = 0; i < f16b::granule; ++i) block[i] *= bf16_value(scale);
    return true;
}

}  // namespace papilio::detail

// Encoded, n elements are their halves, then one scale per block.
namespace papilio::inline PAPILIO_MODE {

template <element V>
void f16b::write(std::span<const V> values, std::size_t begin, std::size_t n, mutable_bytes output)
{
    std::byte* to = output.data() + begin * width;
    std::byte* scale = output.data() + n * width + begin / granule * width;
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
