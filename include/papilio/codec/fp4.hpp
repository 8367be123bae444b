#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/codec/block_codec.hpp>
#include <papilio/codec/encoded_size.hpp>
#include <papilio/codec/minifloat.hpp>
#include <papilio/codec/scale.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

/// A 4-bit float per element, an 8-bit scale per 16 and a 16-bit one per 1024: 4.52 bits together.
/// The short blocks suit numbers with heavy tails; the squared error is 0.009 of the squares of
/// normal numbers and 0.008 of Student's t with three degrees. Runs of 1024 elements whose largest
/// magnitude is below 2^-100 become zeros.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite. NVIDIA's NVFP4 is alike, with
/// one scale per tensor in place of one per 1024 elements.
struct fp4 {
    static constexpr codec_id id = codec_id::fp4;
    static constexpr std::size_t granule = 1024;
    static constexpr bool lossless = false;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept;

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const;

    template <element V>
    void decode(bytes encoded, std::span<V> out) const;
};

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// The two levels of fp4: 64 blocks of 16 elements under one outer scale.
struct fp4_blocks {
    static constexpr std::size_t block = 16;
    static constexpr std::size_t count = fp4::granule / block;

    std::uint16_t outer = 0;                // bf16
    std::uint8_t inner[count] = {};         // e4m3
    std::uint8_t codes[fp4::granule] = {};  // e2m1

    /// What the largest inner scale times the largest code is worth.
    static constexpr float most = e4m3::largest * e2m1::largest;

    float scale(std::size_t b) const { return minifloat_value<e4m3>(inner[b]) * bf16_value(outer); }
};

inline void encode_fp4(const float* values, fp4_blocks& to)
{
    constexpr auto block = fp4_blocks::block;
    float peaks[fp4_blocks::count];
    for (std::size_t b = 0; b < fp4_blocks::count; ++b)
        peaks[b] = finite_peak<block>(values + b * block, "fp4");
    const auto peak = *std::max_element(peaks, peaks + fp4_blocks::count);
    if (peak < smallest_peak) return;

    to.outer = scale_up(peak, fp4_blocks::most);
    const auto inverse = 1 / (e2m1::largest * bf16_value(to.outer));
    for (auto& x : peaks) x *= inverse;
    round_now(peaks);
    for (std::size_t b = 0; b < fp4_blocks::count; ++b) {
        to.inner[b] = minifloat_code<e4m3>(peaks[b]);
        if (to.inner[b] == 0) continue;
        const auto block_inverse = 1 / to.scale(b);
        float scaled[block];
        for (std::size_t i = 0; i < block; ++i) scaled[i] = values[b * block + i] * block_inverse;
        round_now(scaled);
        for (std::size_t i = 0; i < block; ++i)
            to.codes[b * block + i] = minifloat_code<e2m1>(scaled[i]);
    }
}

/// Whether `encode_fp4` could have written this: all is zero; or the largest inner scale is among
/// them, and each block with a scale has a code near the largest. Scales that are subnormal as e4m3
/// may be up to twice what the block needs.
inline bool is_fp4(const fp4_blocks& blocks)
{
    constexpr std::uint8_t first_normal = 1 << e4m3::mantissa_bits;
    std::uint8_t largest_inner = 0;
    for (std::size_t b = 0; b < fp4_blocks::count; ++b) {
        std::uint8_t largest = 0, any = 0;
        for (std::size_t i = 0; i < fp4_blocks::block; ++i) {
            const auto code = blocks.codes[b * fp4_blocks::block + i];
            largest = std::max(largest, static_cast<std::uint8_t>(code & 7));
            any = static_cast<std::uint8_t>(any | code);
        }
        const auto inner = blocks.inner[b];
        const std::uint8_t least = inner < first_normal ? 5 : e2m1::largest_code;
        if (inner == 0 ? any != 0 : largest < least) return false;
        largest_inner = std::max(largest_inner, inner);
    }
    if (blocks.outer == 0) return largest_inner == 0;
    return largest_inner == e4m3::largest_code && is_scale(blocks.outer, fp4_blocks::most);
}

}  // namespace papilio::detail

// Encoded, n elements are their codes, packed block by block, then the inner scales, then the
// outer ones.
namespace papilio::inline PAPILIO_MODE {

template <element V>
constexpr std::size_t fp4::bound(std::size_t n) noexcept
{
    detail::check_lossy_element<V>();
    constexpr auto block = detail::fp4_blocks::block;
    const auto inner = n / block + (n % block != 0 ? 1 : 0);
    const auto outer = n / granule + (n % granule != 0 ? 1 : 0);
    return detail::packed_size(n, 4) + inner + outer * sizeof(std::uint16_t);
}

template <element V>
std::size_t fp4::encode(std::span<const V> values, mutable_bytes output) const
{
    detail::check_lossy_element<V>();
    const auto n = values.size();
    PAPILIO_CHECK(output.size() >= bound<V>(n), "the output is too small for the encoded elements");
    auto* codes_to = output.data();
    auto* inner_to = codes_to + detail::packed_size(n, 4);
    auto* outer_to = inner_to + n / 16 + (n % 16 != 0 ? 1 : 0);
    detail::for_each_tile<granule>(n, [&](std::size_t begin, auto size) {
        const V* from = values.data() + begin;
        float run[granule] = {};
        for (std::size_t i = 0; i < size; ++i) run[i] = static_cast<float>(from[i]);
        detail::fp4_blocks blocks;
        detail::encode_fp4(run, blocks);
        detail::for_each_tile<16>(size, [&](std::size_t at, auto block) {
            std::fill(blocks.codes + at + block, blocks.codes + at + 16, std::uint8_t{0});
            detail::pack_nibbles(blocks.codes + at, block, codes_to);
            codes_to += (block + 1) / 2;
            store(inner_to++, blocks.inner[at / 16]);
        });
        store(outer_to, blocks.outer);
        outer_to += sizeof blocks.outer;
    });
    return bound<V>(n);
}

template <element V>
void fp4::decode(bytes encoded, std::span<V> out) const
{
    detail::check_lossy_element<V>();
    const auto n = out.size();
    detail::check_encoded_size("fp4", encoded, bound<V>(n));
    const auto* codes_from = encoded.data();
    const auto* inner_from = codes_from + detail::packed_size(n, 4);
    const auto* outer_from = inner_from + n / 16 + (n % 16 != 0 ? 1 : 0);
    detail::for_each_tile<granule>(n, [&](std::size_t begin, auto size) {
        detail::fp4_blocks blocks;
        detail::for_each_tile<16>(size, [&](std::size_t at, auto block) {
            detail::unpack_nibbles(codes_from, block, blocks.codes + at);
            codes_from += (block + 1) / 2;
            blocks.inner[at / 16] = load<std::uint8_t>(inner_from++);
        });
        blocks.outer = load<std::uint16_t>(outer_from);
        outer_from += sizeof blocks.outer;
        // A code beyond the last element, where their number is odd.
        const bool padded = size % 2 == 0 || blocks.codes[size] == 0;
        if (!padded || !detail::is_fp4(blocks))
            throw std::system_error(errc::bad_message, "fp4: impossible block");
        V* to = out.data() + begin;
        detail::for_each_tile<16>(size, [&](std::size_t at, auto block) {
            const auto scale = blocks.scale(at / 16);
            for (std::size_t i = 0; i < block; ++i)
                to[at + i] = detail::minifloat_value<e2m1>(blocks.codes[at + i]) * scale;
        });
    });
}

}  // namespace papilio
