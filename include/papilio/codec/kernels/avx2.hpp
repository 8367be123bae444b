#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/scalar.hpp>

#if defined(__x86_64__)

#include <immintrin.h>

// Eight floats at a time, on processors with AVX2, FMA, F16C and BMI2: nearly all since 2015. As in
// avx512.hpp, functions carry their target, and nothing in them is a template of the standard
// library's or a lambda. Tails are left to the reference.
#define PAPILIO_AVX2 __attribute__((target("avx2,fma,f16c,bmi2")))

namespace papilio::inline PAPILIO_MODE::detail::avx2 {

// ---- 16-bit floats.

struct f16 {
    static constexpr std::uint16_t largest = 0x7bff;
    static constexpr half_kernels reference = scalar_halves<papilio::f16, largest>;

    /// Finite numbers are brought within f16's range first; infinities and NaN stay.
    PAPILIO_AVX2 static inline __m128i narrowed(__m256 x)
    {
        const __m256 limit = _mm256_set1_ps(65504);
        const __m256 sign = _mm256_set1_ps(-0.0f);
        const __m256 magnitude = _mm256_andnot_ps(sign, x);
        const __m256 within = _mm256_or_ps(_mm256_min_ps(magnitude, limit), _mm256_and_ps(x, sign));
        const __m256 finite =
            _mm256_cmp_ps(magnitude, _mm256_set1_ps(__builtin_inff()), _CMP_LT_OQ);
        return _mm256_cvtps_ph(_mm256_blendv_ps(x, within, finite),
                               _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    }
    PAPILIO_AVX2 static inline __m256 widened(__m128i halves) { return _mm256_cvtph_ps(halves); }
};

struct bf16 {
    static constexpr std::uint16_t largest = 0x7f7f;
    static constexpr half_kernels reference = scalar_halves<papilio::bf16, largest>;

    /// Adds just below half of a last place, and all of it to odd numbers; nothing where that would
    /// leave the finite numbers. A NaN may become an infinity.
    PAPILIO_AVX2 static inline __m128i narrowed(__m256 x)
    {
        const __m256i all = _mm256_castps_si256(x);
        const __m256i magnitude = _mm256_and_si256(all, _mm256_set1_epi32(0x7fffffff));
        const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(all, 16), _mm256_set1_epi32(1));
        const __m256i half = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
        const __m256i rounds = _mm256_cmpgt_epi32(_mm256_set1_epi32(0x7f7f8000), magnitude);
        const __m256i rounded = _mm256_add_epi32(all, _mm256_and_si256(half, rounds));
        const __m256i upper = _mm256_srli_epi32(rounded, 16);
        return _mm_packus_epi32(_mm256_castsi256_si128(upper), _mm256_extracti128_si256(upper, 1));
    }
    PAPILIO_AVX2 static inline __m256 widened(__m128i halves)
    {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
    }
};

PAPILIO_AVX2 inline __m128i larger(__m128i magnitudes, __m128i halves)
{
    return _mm_max_epi16(magnitudes, _mm_and_si128(halves, _mm_set1_epi16(0x7fff)));
}

template <class Half>
PAPILIO_AVX2 inline bool finite(__m128i magnitudes)
{
    return _mm_movemask_epi8(_mm_cmpgt_epi16(magnitudes, _mm_set1_epi16(Half::largest))) == 0;
}

template <class Half>
PAPILIO_AVX2 bool encode_halves(const float* values, std::size_t n, std::byte* encoded)
{
    std::size_t i = 0;
    __m128i magnitudes = _mm_setzero_si128();
    for (; i + 8 <= n; i += 8) {
        const __m128i halves = Half::narrowed(_mm256_loadu_ps(values + i));
        magnitudes = larger(magnitudes, halves);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(encoded + 2 * i), halves);
    }
    return finite<Half>(magnitudes) &&
           (i == n || Half::reference.encode(values + i, n - i, encoded + 2 * i));
}

template <bool adds>
PAPILIO_AVX2 inline void put(__m256 product, float* to)
{
    _mm256_storeu_ps(to, adds ? _mm256_add_ps(_mm256_loadu_ps(to), product) : product);
}

template <class Half, bool adds>
PAPILIO_AVX2 bool decode_halves(const std::byte* encoded, std::size_t n, float* values)
{
    std::size_t i = 0;
    __m128i magnitudes = _mm_setzero_si128();
    for (; i + 8 <= n; i += 8) {
        const auto* from = reinterpret_cast<const __m128i*>(encoded + 2 * i);
        const __m128i halves = _mm_loadu_si128(from);
        magnitudes = larger(magnitudes, halves);
        put<adds>(Half::widened(halves), values + i);
    }
    const auto rest = adds ? Half::reference.accumulate : Half::reference.decode;
    return finite<Half>(magnitudes) && (i == n || rest(encoded + 2 * i, n - i, values + i));
}

// ---- Blocks with a scale.

PAPILIO_AVX2 inline std::int32_t largest_of(__m256i values)
{
    __m128i larger =
        _mm_max_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
    larger = _mm_max_epi32(larger, _mm_shuffle_epi32(larger, 0x4e));
    larger = _mm_max_epi32(larger, _mm_shuffle_epi32(larger, 0xb1));
    return _mm_cvtsi128_si32(larger);
}

/// Codes of 32 values: rounded to nearest, ties to even, and narrowed to bytes. `packs` leaves them
/// by lanes, in fours.
PAPILIO_AVX2 inline __m256i codes_of(const float* values, __m256 inverse)
{
    const __m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values), inverse));
    const __m256i b = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + 8), inverse));
    const __m256i c = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + 16), inverse));
    const __m256i d = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + 24), inverse));
    const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/// The lower halves of both arguments' bytes, side by side.
PAPILIO_AVX2 inline __m128i paired(__m128i low, __m128i high)
{
    const __m128i lower = _mm_set1_epi8(15);
    return _mm_or_si128(_mm_and_si128(low, lower), _mm_slli_epi16(_mm_and_si128(high, lower), 4));
}

/// One block; false if it holds a NaN or an infinity.
template <class Format>
PAPILIO_AVX2 bool encode_block(const float* values, std::byte* codes, std::byte* scale)
{
    __m256i largest = _mm256_setzero_si256();
    for (std::size_t k = 0; k < Format::block; k += 8) {
        const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(values + k));
        largest = _mm256_max_epi32(largest, _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff)));
    }
    const std::int32_t peak = avx2::largest_of(largest);
    if (peak >= float_infinity) return false;
    const block_scale by = scale_of<Format>(peak);
    store(scale, by.bits);

    const __m256 inverse = _mm256_set1_ps(by.inverse);
    if constexpr (Format::bits == 8) {
        for (std::size_t k = 0; k < Format::block; k += 32)
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes + k),
                                codes_of(values + k, inverse));
    } else if constexpr (Format::block == 32) {
        const __m256i all = codes_of(values, inverse);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(codes),
                         paired(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1)));
    } else {
        for (std::size_t k = 0; k < Format::block / 2; k += 32) {
            const __m256i lower = _mm256_set1_epi8(15);
            const __m256i low = _mm256_and_si256(codes_of(values + k, inverse), lower);
            const __m256i high =
                _mm256_and_si256(codes_of(values + k + Format::block / 2, inverse), lower);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes + k),
                                _mm256_or_si256(low, _mm256_slli_epi16(high, 4)));
        }
    }
    return true;
}

/// Whether a block whose largest code has the magnitude `largest` in one of the bytes of `each` is
/// one that is decoded here: the rare rest is left to the reference.
template <class Format>
PAPILIO_AVX2 inline bool usual(std::uint16_t scale, __m128i each, __m128i any)
{
    if (scale == 0) return _mm_testz_si128(any, any) != 0;
    const __m128i most = _mm_set1_epi8(static_cast<char>(Format::largest_code));
    const __m128i least = _mm_set1_epi8(static_cast<char>(Format::min_largest_code));
    const __m128i within = _mm_cmpeq_epi8(_mm_max_epu8(each, most), most);
    const __m128i reaches = _mm_cmpeq_epi8(_mm_max_epu8(each, least), each);
    return scale >= Format::smallest_scale && scale <= Format::largest_full_scale &&
           _mm_movemask_epi8(within) == 0xffff && _mm_movemask_epi8(reaches) != 0;
}

PAPILIO_AVX2 inline bool usual_int8b(std::uint16_t scale, const std::byte* codes)
{
    __m256i larger = _mm256_setzero_si256();
    for (std::size_t k = 0; k < 128; k += 32) {
        const __m256i some = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + k));
        larger = _mm256_max_epu8(larger, _mm256_abs_epi8(some));
    }
    const __m128i each =
        _mm_max_epu8(_mm256_castsi256_si128(larger), _mm256_extracti128_si256(larger, 1));
    return usual<int8b_format>(scale, each, each);
}

/// The products of the scale and eight codes.
PAPILIO_AVX2 inline __m256 products(__m128i codes, __m256 scale)
{
    return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(codes)), scale);
}

template <bool adds>
PAPILIO_AVX2 bool decode_int8b(const std::byte* codes, const std::byte* scale_at, float* values)
{
    const auto bits = load<std::uint16_t>(scale_at);
    if (!usual_int8b(bits, codes))
        return decode_blocks<int8b_format, adds>(codes, scale_at, 1, values);
    const __m256 scale = _mm256_set1_ps(bf16_value(bits));
    for (std::size_t k = 0; k < 128; k += 8)
        put<adds>(products(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes + k)), scale),
                  values + k);
    return true;
}

template <class Format>
PAPILIO_AVX2 inline bool usual_int4b(std::uint16_t scale, const std::byte* codes)
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

template <bool adds>
PAPILIO_AVX2 inline void put_sixteen(__m128i four_bits, __m256 scale, float* to)
{
    const __m128i signed_codes =
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
    const __m128i codes = _mm_shuffle_epi8(signed_codes, four_bits);
    put<adds>(products(codes, scale), to);
    put<adds>(products(_mm_srli_si128(codes, 8), scale), to + 8);
}

template <class Format, bool adds>
PAPILIO_AVX2 bool decode_int4b(const std::byte* codes, const std::byte* scale_at, float* values)
{
    const auto bits = load<std::uint16_t>(scale_at);
    if (!usual_int4b<Format>(bits, codes))
        return decode_blocks<Format, adds>(codes, scale_at, 1, values);
    const __m256 scale = _mm256_set1_ps(bf16_value(bits));
    const __m128i lower = _mm_set1_epi8(15);
    for (std::size_t k = 0; k < Format::block / 2; k += 16) {
        const __m128i pairs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + k));
        put_sixteen<adds>(_mm_and_si128(pairs, lower), scale, values + k);
        put_sixteen<adds>(_mm_and_si128(_mm_srli_epi16(pairs, 4), lower), scale,
                          values + k + Format::block / 2);
    }
    return true;
}

template <class Format>
PAPILIO_AVX2 bool encode_blocks(const float* values, std::size_t blocks, std::byte* codes,
                                std::byte* scales)
{
    constexpr std::size_t code_bytes = Format::block * Format::bits / 8;
    for (std::size_t b = 0; b < blocks; ++b)
        if (!avx2::encode_block<Format>(values + b * Format::block, codes + b * code_bytes,
                                        scales + b * 2))
            return false;
    return true;
}

template <class Format, bool adds>
PAPILIO_AVX2 bool read_blocks(const std::byte* codes, const std::byte* scales, std::size_t blocks,
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
    isa::avx2,
    halves<f16>,
    halves<bf16>,
    blocks<int8b_format>,
    blocks<int4b_format<32>>,
    blocks<int4b_format<128>>,
    avx2_uniform8,
};

}  // namespace papilio::inline PAPILIO_MODE::detail::avx2

#undef PAPILIO_AVX2

#endif
