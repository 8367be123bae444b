#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/scalar.hpp>

#if defined(__aarch64__)

#include <arm_neon.h>

// Four floats at a time, on every 64-bit ARM processor. Tails are left to the reference.
namespace papilio::inline PAPILIO_MODE::detail::neon {

// ---- 16-bit floats.

struct f16 {
    static constexpr std::uint16_t largest = 0x7bff;
    static constexpr half_kernels reference = scalar_halves<papilio::f16, largest>;

    /// Finite numbers are brought within f16's range first; infinities and NaN stay.
    static inline uint16x4_t narrowed(float32x4_t x)
    {
        const float32x4_t magnitude = vabsq_f32(x);
        const uint32x4_t sign = vdupq_n_u32(0x80000000);
        const float32x4_t least = vminq_f32(magnitude, vdupq_n_f32(65504));
        const float32x4_t within = vbslq_f32(sign, x, least);
        const uint32x4_t finite = vcltq_f32(magnitude, vdupq_n_f32(__builtin_inff()));
        return vreinterpret_u16_f16(vcvt_f16_f32(vbslq_f32(finite, within, x)));
    }
    static inline float32x4_t widened(uint16x4_t halves)
    {
        return vcvt_f32_f16(vreinterpret_f16_u16(halves));
    }
};

struct bf16 {
    static constexpr std::uint16_t largest = 0x7f7f;
    static constexpr half_kernels reference = scalar_halves<papilio::bf16, largest>;

    /// Adds just below half of a last place, and all of it to odd numbers; nothing where that would
    /// leave the finite numbers. A NaN may become an infinity.
    static inline uint16x4_t narrowed(float32x4_t x)
    {
        const uint32x4_t all = vreinterpretq_u32_f32(x);
        const uint32x4_t magnitude = vandq_u32(all, vdupq_n_u32(0x7fffffff));
        const uint32x4_t odd = vandq_u32(vshrq_n_u32(all, 16), vdupq_n_u32(1));
        const uint32x4_t half = vaddq_u32(odd, vdupq_n_u32(0x7fff));
        const uint32x4_t rounds = vcltq_u32(magnitude, vdupq_n_u32(0x7f7f8000));
        return vshrn_n_u32(vaddq_u32(all, vandq_u32(half, rounds)), 16);
    }
    static inline float32x4_t widened(uint16x4_t halves)
    {
        return vreinterpretq_f32_u32(vshll_n_u16(halves, 16));
    }
};

inline uint16x4_t larger(uint16x4_t magnitudes, uint16x4_t halves)
{
    return vmax_u16(magnitudes, vand_u16(halves, vdup_n_u16(0x7fff)));
}

template <class Half>
bool encode_halves(const float* values, std::size_t n, std::byte* encoded)
{
    std::size_t i = 0;
    uint16x4_t magnitudes = vdup_n_u16(0);
    for (; i + 4 <= n; i += 4) {
        const uint16x4_t halves = Half::narrowed(vld1q_f32(values + i));
        magnitudes = larger(magnitudes, halves);
        vst1_u8(reinterpret_cast<std::uint8_t*>(encoded + 2 * i), vreinterpret_u8_u16(halves));
    }
    return vmaxv_u16(magnitudes) <= Half::largest &&
           (i == n || Half::reference.encode(values + i, n - i, encoded + 2 * i));
}

template <bool adds>
inline void put(float32x4_t product, float* to)
{
    vst1q_f32(to, adds ? vaddq_f32(vld1q_f32(to), product) : product);
}

template <class Half, bool adds>
bool decode_halves(const std::byte* encoded, std::size_t n, float* values)
{
    std::size_t i = 0;
    uint16x4_t magnitudes = vdup_n_u16(0);
    for (; i + 4 <= n; i += 4) {
        const uint8x8_t four = vld1_u8(reinterpret_cast<const std::uint8_t*>(encoded + 2 * i));
        const uint16x4_t halves = vreinterpret_u16_u8(four);
        magnitudes = larger(magnitudes, halves);
        put<adds>(Half::widened(halves), values + i);
    }
    const auto rest = adds ? Half::reference.accumulate : Half::reference.decode;
    return vmaxv_u16(magnitudes) <= Half::largest &&
           (i == n || rest(encoded + 2 * i, n - i, values + i));
}

// ---- Blocks with a scale.

/// Codes of sixteen values: rounded to nearest, ties to even, and narrowed to bytes.
inline int8x16_t codes_of(const float* values, float inverse)
{
    const int32x4_t a = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(values), inverse));
    const int32x4_t b = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(values + 4), inverse));
    const int32x4_t c = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(values + 8), inverse));
    const int32x4_t d = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(values + 12), inverse));
    const int16x8_t low = vcombine_s16(vmovn_s32(a), vmovn_s32(b));
    const int16x8_t high = vcombine_s16(vmovn_s32(c), vmovn_s32(d));
    return vcombine_s8(vmovn_s16(low), vmovn_s16(high));
}

/// One block; false if it holds a NaN or an infinity.
template <class Format>
bool encode_block(const float* values, std::byte* codes, std::byte* scale)
{
    int32x4_t largest = vdupq_n_s32(0);
    for (std::size_t k = 0; k < Format::block; k += 4)
        largest = vmaxq_s32(largest, vreinterpretq_s32_f32(vabsq_f32(vld1q_f32(values + k))));
    const std::int32_t peak = vmaxvq_s32(largest);
    if (peak >= float_infinity) return false;
    const block_scale by = scale_of<Format>(peak);
    store(scale, by.bits);

    auto* to = reinterpret_cast<std::int8_t*>(codes);
    if constexpr (Format::bits == 8) {
        for (std::size_t k = 0; k < Format::block; k += 16)
            vst1q_s8(to + k, codes_of(values + k, by.inverse));
    } else {
        for (std::size_t k = 0; k < Format::block / 2; k += 16) {
            const int8x16_t low = vandq_s8(codes_of(values + k, by.inverse), vdupq_n_s8(15));
            const int8x16_t high = codes_of(values + k + Format::block / 2, by.inverse);
            vst1q_s8(to + k, vorrq_s8(low, vshlq_n_s8(high, 4)));
        }
    }
    return true;
}

/// The products of the scale and sixteen codes.
template <bool adds>
inline void put_products(int8x16_t codes, float scale, float* to)
{
    const int16x8_t low = vmovl_s8(vget_low_s8(codes)), high = vmovl_s8(vget_high_s8(codes));
    put<adds>(vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), scale), to);
    put<adds>(vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))), scale), to + 4);
    put<adds>(vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), scale), to + 8);
    put<adds>(vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_high_s16(high))), scale), to + 12);
}

/// The codes in the lower and in the upper halves of sixteen bytes; with eight bits, the bytes.
inline int8x16_t lower_codes(uint8x16_t pairs)
{
    return vshrq_n_s8(vreinterpretq_s8_u8(vshlq_n_u8(pairs, 4)), 4);
}
inline int8x16_t upper_codes(uint8x16_t pairs)
{
    return vshrq_n_s8(vreinterpretq_s8_u8(pairs), 4);
}

inline uint8x16_t magnitudes(int8x16_t codes)
{
    return vreinterpretq_u8_s8(vabsq_s8(codes));
}

/// One block; what looks unusual is left to the reference.
template <class Format, bool adds>
bool decode_block(const std::byte* codes, const std::byte* scale_at, float* values)
{
    constexpr std::size_t half = Format::block / 2;
    constexpr std::size_t code_bytes = Format::block * Format::bits / 8;
    const auto* from = reinterpret_cast<const std::uint8_t*>(codes);
    uint8x16_t each = vdupq_n_u8(0);
    for (std::size_t k = 0; k < code_bytes; k += 16) {
        const uint8x16_t some = vld1q_u8(from + k);
        const uint8x16_t found = Format::bits == 8 ? magnitudes(vreinterpretq_s8_u8(some))
                                                   : vmaxq_u8(magnitudes(lower_codes(some)),
                                                              magnitudes(upper_codes(some)));
        each = vmaxq_u8(each, found);
    }
    const std::int32_t largest = vmaxvq_u8(each);
    const auto bits = load<std::uint16_t>(scale_at);
    const bool zero = bits == 0 && largest == 0;
    const bool usual = bits >= Format::smallest_scale && bits <= Format::largest_full_scale &&
                       largest >= Format::min_largest_code && largest <= Format::largest_code;
    if (!zero && !usual) return decode_blocks<Format, adds>(codes, scale_at, 1, values);

    const float scale = bf16_value(bits);
    for (std::size_t k = 0; k < code_bytes; k += 16) {
        const uint8x16_t some = vld1q_u8(from + k);
        if constexpr (Format::bits == 8) {
            put_products<adds>(vreinterpretq_s8_u8(some), scale, values + k);
        } else {
            put_products<adds>(lower_codes(some), scale, values + k);
            put_products<adds>(upper_codes(some), scale, values + k + half);
        }
    }
    return true;
}

template <class Format>
bool encode_blocks(const float* values, std::size_t blocks, std::byte* codes, std::byte* scales)
{
    constexpr std::size_t code_bytes = Format::block * Format::bits / 8;
    for (std::size_t b = 0; b < blocks; ++b)
        if (!neon::encode_block<Format>(values + b * Format::block, codes + b * code_bytes,
                                        scales + b * 2))
            return false;
    return true;
}

template <class Format, bool adds>
bool read_blocks(const std::byte* codes, const std::byte* scales, std::size_t blocks, float* values)
{
    constexpr std::size_t code_bytes = Format::block * Format::bits / 8;
    for (std::size_t b = 0; b < blocks; ++b)
        if (!neon::decode_block<Format, adds>(codes + b * code_bytes, scales + b * 2,
                                              values + b * Format::block))
            return false;
    return true;
}

template <class Half>
inline constexpr half_kernels halves{encode_halves<Half>, decode_halves<Half, false>,
                                     decode_halves<Half, true>};

template <class Format>
inline constexpr block_kernels blocks{encode_blocks<Format>, read_blocks<Format, false>,
                                      read_blocks<Format, true>};

inline constexpr kernel_table kernels{
    isa::neon,
    halves<f16>,
    halves<bf16>,
    blocks<int8b_format>,
    blocks<int4b_format<32>>,
    blocks<int4b_format<128>>,
    scalar_uniform8,
};

}  // namespace papilio::detail::neon

#endif
