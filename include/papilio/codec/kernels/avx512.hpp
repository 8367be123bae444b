#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/avx2.hpp>
#include <papilio/codec/kernels/scalar.hpp>

#if defined(__x86_64__)

#include <immintrin.h>

// g++ 12 takes its own intrinsics' operands that do not matter for uninitialised ones.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

// Sixteen floats at a time, on processors with AVX-512 F, BW, DQ and VL. Functions carry their
// target, so that no flag is needed; nothing in them is a template of the standard library's or a
// lambda, which would be compiled for the wrong processor. Tails are masked: nothing is read or
// written beside a span.
#define PAPILIO_AVX512 \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi2")))

namespace papilio::inline PAPILIO_MODE::detail::avx512 {

// ---- 16-bit floats.

struct f16 {
    static constexpr std::uint16_t largest = 0x7bff;

    /// Finite numbers are brought within f16's range first; infinities and NaN stay.
    PAPILIO_AVX512 static inline __m256i narrowed(__m512 x)
    {
        constexpr int not_finite = 0x99;
        constexpr int smaller_magnitude_with_first_sign = 2;
        const __mmask16 finite = _knot_mask16(_mm512_fpclass_ps_mask(x, not_finite));
        const __m512 within = _mm512_mask_range_ps(x, finite, x, _mm512_set1_ps(65504),
                                                   smaller_magnitude_with_first_sign);
        return _mm512_cvtps_ph(within, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    }
    PAPILIO_AVX512 static inline __m512 widened(__m256i halves) { return _mm512_cvtph_ps(halves); }
};

struct bf16 {
    static constexpr std::uint16_t largest = 0x7f7f;

    /// Adds just below half of a last place, and all of it to odd numbers; nothing where that would
    /// leave the finite numbers. A NaN may become an infinity.
    PAPILIO_AVX512 static inline __m256i narrowed(__m512 x)
    {
        const __m512i all = _mm512_castps_si512(x);
        const __m512i magnitude = _mm512_and_si512(all, _mm512_set1_epi32(0x7fffffff));
        const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(all, 16), _mm512_set1_epi32(1));
        const __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
        const __mmask16 rounds = _mm512_cmplt_epi32_mask(magnitude, _mm512_set1_epi32(0x7f7f8000));
        const __m512i rounded = _mm512_mask_add_epi32(all, rounds, all, half);
        return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
    }
    PAPILIO_AVX512 static inline __m512 widened(__m256i halves)
    {
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
    }
};

PAPILIO_AVX512 inline __m256i larger(__m256i magnitudes, __m256i halves)
{
    return _mm256_max_epi16(magnitudes, _mm256_and_si256(halves, _mm256_set1_epi16(0x7fff)));
}

template <class Half>
PAPILIO_AVX512 inline bool finite(__m256i magnitudes)
{
    return _mm256_cmpgt_epi16_mask(magnitudes, _mm256_set1_epi16(Half::largest)) == 0;
}

template <class Half>
PAPILIO_AVX512 bool encode_halves(const float* values, std::size_t n, std::byte* encoded)
{
    std::size_t i = 0;
    __m256i magnitudes = _mm256_setzero_si256();
    for (; i + 16 <= n; i += 16) {
        const __m256i halves = Half::narrowed(_mm512_loadu_ps(values + i));
        magnitudes = larger(magnitudes, halves);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(encoded + 2 * i), halves);
    }
    const auto tail = static_cast<__mmask16>((1u << (n - i)) - 1);
    if (tail != 0) {
        const __m256i halves = Half::narrowed(_mm512_maskz_loadu_ps(tail, values + i));
        magnitudes = larger(magnitudes, halves);
        _mm256_mask_storeu_epi16(encoded + 2 * i, tail, halves);
    }
    return finite<Half>(magnitudes);
}

template <class Half, bool adds>
PAPILIO_AVX512 bool decode_halves(const std::byte* encoded, std::size_t n, float* values)
{
    std::size_t i = 0;
    __m256i magnitudes = _mm256_setzero_si256();
    for (; i + 16 <= n; i += 16) {
        const auto* from = reinterpret_cast<const __m256i*>(encoded + 2 * i);
        const __m256i halves = _mm256_loadu_si256(from);
        magnitudes = larger(magnitudes, halves);
        __m512 x = Half::widened(halves);
        if (adds) x = _mm512_add_ps(_mm512_loadu_ps(values + i), x);
        _mm512_storeu_ps(values + i, x);
    }
    const auto tail = static_cast<__mmask16>((1u << (n - i)) - 1);
    if (tail != 0) {
        const __m256i halves = _mm256_maskz_loadu_epi16(tail, encoded + 2 * i);
        magnitudes = larger(magnitudes, halves);
        __m512 x = Half::widened(halves);
        if (adds) x = _mm512_add_ps(_mm512_maskz_loadu_ps(tail, values + i), x);
        _mm512_mask_storeu_ps(values + i, tail, x);
    }
    return finite<Half>(magnitudes);
}

// ---- Blocks with a scale.

PAPILIO_AVX512 inline std::int32_t largest_of(__m512i values)
{
    return avx2::largest_of(
        _mm256_max_epi32(_mm512_castsi512_si256(values), _mm512_extracti64x4_epi64(values, 1)));
}

/// Sixteen integers per register become bytes; `packs` leaves them by lanes, in fours.
PAPILIO_AVX512 inline __m512i narrowed(__m512i a, __m512i b, __m512i c, __m512i d)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i bytes = _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
    return _mm512_permutexvar_epi32(order, bytes);
}

/// One block; false if it holds a NaN or an infinity.
template <class Format>
PAPILIO_AVX512 bool encode_block(const float* values, std::byte* codes, std::byte* scale)
{
    constexpr std::size_t count = Format::block / 16;
    __m512 x[count];
    __m512i largest = _mm512_setzero_si512();
    for (std::size_t k = 0; k < count; ++k) {
        x[k] = _mm512_loadu_ps(values + 16 * k);
        const __m512i bits = _mm512_castps_si512(x[k]);
        largest = _mm512_max_epi32(largest, _mm512_and_si512(bits, _mm512_set1_epi32(0x7fffffff)));
    }
    const std::int32_t peak = avx512::largest_of(largest);
    if (peak >= float_infinity) return false;
    const block_scale by = scale_of<Format>(peak);
    store(scale, by.bits);

    const __m512 inverse = _mm512_set1_ps(by.inverse);
    __m512i q[count];  // rounded to nearest, ties to even
    for (std::size_t k = 0; k < count; ++k) q[k] = _mm512_cvtps_epi32(_mm512_mul_ps(x[k], inverse));
    if constexpr (Format::bits == 8) {
        for (std::size_t k = 0; k < count; k += 4)
            _mm512_storeu_si512(codes + 16 * k, narrowed(q[k], q[k + 1], q[k + 2], q[k + 3]));
    } else {
        constexpr int lower_bits_or_third = 0xea;  // (a and b) or c
        for (std::size_t k = 0; k < count / 2; ++k) {
            const __m512i upper = _mm512_slli_epi32(q[k + count / 2], 4);
            const __m512i both =
                _mm512_ternarylogic_epi32(q[k], _mm512_set1_epi32(15), upper, lower_bits_or_third);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(codes + 16 * k),
                             _mm512_cvtepi32_epi8(both));
        }
    }
    return true;
}

/// Whether a block whose largest code has the magnitude `largest` in one of the bytes of `each` is
/// one that is decoded here: the rare rest is left to the reference.
template <class Format>
PAPILIO_AVX512 inline bool usual(std::uint16_t scale, __m128i each, __m128i any)
{
    if (scale == 0) return _mm_testz_si128(any, any) != 0;
    constexpr char most = static_cast<char>(Format::largest_code);
    constexpr char least = static_cast<char>(Format::min_largest_code);
    return scale >= Format::smallest_scale && scale <= Format::largest_full_scale &&
           _mm_cmpgt_epu8_mask(each, _mm_set1_epi8(most)) == 0 &&
           _mm_cmpge_epu8_mask(each, _mm_set1_epi8(least)) != 0;
}

PAPILIO_AVX512 inline __m128i larger_half(__m256i a)
{
    return _mm_max_epu8(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
}

PAPILIO_AVX512 inline bool usual_int8b(std::uint16_t scale, const std::byte* codes)
{
    const __m512i a = _mm512_abs_epi8(_mm512_loadu_si512(codes));
    const __m512i b = _mm512_abs_epi8(_mm512_loadu_si512(codes + 64));
    const __m512i both = _mm512_max_epu8(a, b);
    const __m128i each = larger_half(
        _mm256_max_epu8(_mm512_castsi512_si256(both), _mm512_extracti64x4_epi64(both, 1)));
    return usual<int8b_format>(scale, each, each);
}

template <bool adds>
PAPILIO_AVX512 inline void put(__m512 product, float* to)
{
    _mm512_storeu_ps(to, adds ? _mm512_add_ps(_mm512_loadu_ps(to), product) : product);
}

template <bool adds>
PAPILIO_AVX512 bool decode_int8b(const std::byte* codes, const std::byte* scale_at, float* values)
{
    const auto bits = load<std::uint16_t>(scale_at);
    if (!usual_int8b(bits, codes))
        return decode_blocks<int8b_format, adds>(codes, scale_at, 1, values);
    const __m512 scale = _mm512_set1_ps(bf16_value(bits));
    for (std::size_t k = 0; k < 128; k += 16) {
        const __m128i eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + k));
        const __m512 code = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(eight));
        put<adds>(_mm512_mul_ps(code, scale), values + k);
    }
    return true;
}

template <class Format>
PAPILIO_AVX512 inline bool usual_int4b(std::uint16_t scale, const std::byte* codes)
{
    const __m128i magnitudes = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 7, 6, 5, 4, 3, 2, 1);
    const __m128i lower = _mm_set1_epi8(15);
    __m128i each = _mm_setzero_si128(), any = _mm_setzero_si128();
    for (std::size_t k = 0; k < Format::block / 2; k += 16) {
        const __m128i pairs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + k));
        const __m128i low = _mm_and_si128(pairs, lower);
        const __m128i high = _mm_and_si128(_mm_srli_epi16(pairs, 4), lower);
        each = _mm_max_epu8(each, _mm_max_epu8(_mm_shuffle_epi8(magnitudes, low),
                                               _mm_shuffle_epi8(magnitudes, high)));
        any = _mm_or_si128(any, pairs);
    }
    return usual<Format>(scale, each, any);
}

/// The sixteen products that a block can hold stand in a register, and codes pick among them.
template <class Format, bool adds>
PAPILIO_AVX512 bool decode_int4b(const std::byte* codes, const std::byte* scale_at, float* values)
{
    const auto bits = load<std::uint16_t>(scale_at);
    if (!usual_int4b<Format>(bits, codes))
        return decode_blocks<Format, adds>(codes, scale_at, 1, values);
    const __m512 products =
        _mm512_mul_ps(_mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1),
                      _mm512_set1_ps(bf16_value(bits)));
    for (std::size_t k = 0; k < Format::block / 2; k += 16) {
        const __m128i pairs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + k));
        const __m512i low = _mm512_cvtepu8_epi32(pairs);
        put<adds>(_mm512_permutexvar_ps(low, products), values + k);
        put<adds>(_mm512_permutexvar_ps(_mm512_srli_epi32(low, 4), products),
                  values + k + Format::block / 2);
    }
    return true;
}

template <class Format>
PAPILIO_AVX512 bool encode_blocks(const float* values, std::size_t blocks, std::byte* codes,
                                  std::byte* scales)
{
    constexpr std::size_t code_bytes = Format::block * Format::bits / 8;
    for (std::size_t b = 0; b < blocks; ++b)
        if (!avx512::encode_block<Format>(values + b * Format::block, codes + b * code_bytes,
                                          scales + b * 2))
            return false;
    return true;
}

template <class Format, bool adds>
PAPILIO_AVX512 bool read_blocks(const std::byte* codes, const std::byte* scales, std::size_t blocks,
                                float* values)
{
    constexpr std::size_t code_bytes = Format::block * Format::bits / 8;
    for (std::size_t b = 0; b < blocks; ++b) {
        float* to = values + b * Format::block;
        bool plausible = false;
        if constexpr (Format::bits == 8)
            plausible = decode_int8b<adds>(codes + b * code_bytes, scales + b * 2, to);
        else
            plausible = decode_int4b<Format, adds>(codes + b * code_bytes, scales + b * 2, to);
        if (!plausible) return false;
    }
    return true;
}

template <class Half>
inline constexpr half_kernels halves{encode_halves<Half>, decode_halves<Half, false>,
                                     decode_halves<Half, true>};

template <class Format>
inline constexpr block_kernels blocks{encode_blocks<Format>, read_blocks<Format, false>,
                                      read_blocks<Format, true>};

inline constexpr kernel_table kernels{
    isa::avx512,
    halves<f16>,
    halves<bf16>,
    blocks<int8b_format>,
    blocks<int4b_format<32>>,
    blocks<int4b_format<128>>,
    avx512_uniform8,
};

}  // namespace papilio::inline PAPILIO_MODE::detail::avx512

#undef PAPILIO_AVX512
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif
