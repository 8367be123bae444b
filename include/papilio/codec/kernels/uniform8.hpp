#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/codec/kernels/base.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// hivemind's uniform8 at every level: where its elements lie, their codes, and back. A bucket's sum
// is counted in integers, which may be added in any order; all other sums in lanes.
namespace papilio::inline PAPILIO_MODE::detail {

// ---- The reference.

inline void add_moments(const float* values, std::size_t n, float origin, moments& to)
{
    for (std::size_t i = 0; i < n; i += sum_lanes) {
        double off[sum_lanes], squares[sum_lanes];
        for (std::size_t k = 0; k < sum_lanes; ++k)
            off[k] = static_cast<double>(values[i + k]) - static_cast<double>(origin);
        for (std::size_t k = 0; k < sum_lanes; ++k) squares[k] = off[k] * off[k];
        round_now(squares);
        for (std::size_t k = 0; k < sum_lanes; ++k) to.sums[k] += off[k];
        for (std::size_t k = 0; k < sum_lanes; ++k) to.squares[k] += squares[k];
    }
}

/// Brought between the last codes before it is rounded, not after: no code differs.
inline void classify(const float* values, std::size_t n, uniform8_scale by, bucket_tile& tile)
{
    constexpr float rounder = 0x1.8p23f;  // added, it rounds to an integer, ties to even
    for (std::size_t i = 0; i < n; i += sum_lanes) {
        float scaled[sum_lanes];
        for (std::size_t k = 0; k < sum_lanes; ++k)
            scaled[k] = (values[i + k] - by.mean) * by.inverse;
        round_now(scaled);
        for (std::size_t k = 0; k < sum_lanes; ++k) {
            const float within = std::min(std::max(scaled[k], -128.0f), 127.0f);
            const float whole = (within + rounder) - rounder;
            const auto code = static_cast<std::int32_t>(whole) + 128;
            const bool inner = code > 0 && code < 255;
            const float off = inner ? (within - whole) * bucket_tile::fraction : 0;
            tile.codes[i + k] = static_cast<std::uint8_t>(code);
            tile.words[i + k] = bucket_tile::once + static_cast<std::int32_t>(off);
            tile.low[k] += code == 0 ? static_cast<double>(values[i + k]) : 0;
            tile.high[k] += code == 255 ? static_cast<double>(values[i + k]) : 0;
        }
    }
}

inline void look_up(const std::byte* codes, std::size_t n, const float* codebook, float* values)
{
    for (std::size_t i = 0; i < n; ++i)
        values[i] = codebook[std::to_integer<std::size_t>(codes[i])];
}

inline constexpr uniform8_kernels scalar_uniform8{add_moments, classify, look_up};

#if defined(__x86_64__)

// ---- AVX2.

#define PAPILIO_AVX2 __attribute__((target("avx2,fma,f16c,bmi2")))

namespace avx2 {

/// Four lanes of both sums. The product is rounded before it is added, whatever the compiler would
/// rather do.
PAPILIO_AVX2 inline void add_four(const float* values, __m256d origin, double* sums,
                                  double* squares)
{
    const __m256d off = _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(values)), origin);
    __m256d square = _mm256_mul_pd(off, off);
    asm("" : "+x"(square));
    _mm256_storeu_pd(sums, _mm256_add_pd(_mm256_loadu_pd(sums), off));
    _mm256_storeu_pd(squares, _mm256_add_pd(_mm256_loadu_pd(squares), square));
}

PAPILIO_AVX2 inline void add_moments(const float* values, std::size_t n, float origin, moments& to)
{
    const __m256d around = _mm256_set1_pd(static_cast<double>(origin));
    moments sums = to;
    for (std::size_t i = 0; i < n; i += sum_lanes)
        for (std::size_t k = 0; k < sum_lanes; k += 4)
            add_four(values + i + k, around, sums.sums + k, sums.squares + k);
    to = sums;
}

/// Adds those of eight elements whose code equals `code` to eight lanes.
PAPILIO_AVX2 inline void add_equal(__m256 x, __m256i codes, int code, double* sums)
{
    const __m256i equal = _mm256_cmpeq_epi32(codes, _mm256_set1_epi32(code));
    if (_mm256_testz_si256(equal, equal)) return;
    const __m256 chosen = _mm256_and_ps(x, _mm256_castsi256_ps(equal));
    const __m256d first = _mm256_cvtps_pd(_mm256_castps256_ps128(chosen));
    const __m256d second = _mm256_cvtps_pd(_mm256_extractf128_ps(chosen, 1));
    _mm256_storeu_pd(sums, _mm256_add_pd(_mm256_loadu_pd(sums), first));
    _mm256_storeu_pd(sums + 4, _mm256_add_pd(_mm256_loadu_pd(sums + 4), second));
}

PAPILIO_AVX2 inline void classify(const float* values, std::size_t n, uniform8_scale by,
                                  bucket_tile& tile)
{
    const __m256 mean = _mm256_set1_ps(by.mean), inverse = _mm256_set1_ps(by.inverse);
    const __m256i once = _mm256_set1_epi64x(bucket_tile::once);
    for (std::size_t i = 0; i < n; i += 8) {
        const __m256 x = _mm256_loadu_ps(values + i);
        __m256 scaled = _mm256_mul_ps(_mm256_sub_ps(x, mean), inverse);
        asm("" : "+x"(scaled));
        const __m256 within =
            _mm256_min_ps(_mm256_max_ps(scaled, _mm256_set1_ps(-128)), _mm256_set1_ps(127));
        const __m256i rounded = _mm256_cvtps_epi32(within);
        const __m256i code = _mm256_add_epi32(rounded, _mm256_set1_epi32(128));
        const __m256i inner = _mm256_and_si256(_mm256_cmpgt_epi32(code, _mm256_setzero_si256()),
                                               _mm256_cmpgt_epi32(_mm256_set1_epi32(255), code));
        const __m256 off = _mm256_mul_ps(_mm256_sub_ps(within, _mm256_cvtepi32_ps(rounded)),
                                         _mm256_set1_ps(bucket_tile::fraction));
        const __m256i fixed = _mm256_and_si256(_mm256_cvttps_epi32(off), inner);
        const __m128i low = _mm256_castsi256_si128(fixed),
                      high = _mm256_extracti128_si256(fixed, 1);
        auto* words = reinterpret_cast<__m256i*>(tile.words + i);
        _mm256_storeu_si256(words, _mm256_add_epi64(_mm256_cvtepi32_epi64(low), once));
        _mm256_storeu_si256(words + 1, _mm256_add_epi64(_mm256_cvtepi32_epi64(high), once));
        const __m128i narrow =
            _mm_packus_epi32(_mm256_castsi256_si128(code), _mm256_extracti128_si256(code, 1));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(tile.codes + i),
                         _mm_packus_epi16(narrow, narrow));
        add_equal(x, code, 0, tile.low + i % sum_lanes);
        add_equal(x, code, 255, tile.high + i % sum_lanes);
    }
}

PAPILIO_AVX2 inline void look_up(const std::byte* codes, std::size_t n, const float* codebook,
                                 float* values)
{
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes + i));
        _mm256_storeu_ps(values + i, _mm256_i32gather_ps(codebook, _mm256_cvtepu8_epi32(eight), 4));
    }
    detail::look_up(codes + i, n - i, codebook, values + i);
}

}  // namespace avx2

#undef PAPILIO_AVX2

inline constexpr uniform8_kernels avx2_uniform8{avx2::add_moments, avx2::classify, avx2::look_up};

// ---- AVX-512.

#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define PAPILIO_AVX512 \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi2")))

namespace avx512 {

PAPILIO_AVX512 inline void add_moments(const float* values, std::size_t n, float origin,
                                       moments& to)
{
    const __m512d around = _mm512_set1_pd(static_cast<double>(origin));
    __m512d sum[2], square[2];
    for (std::size_t h = 0; h < 2; ++h) {
        sum[h] = _mm512_loadu_pd(to.sums + 8 * h);
        square[h] = _mm512_loadu_pd(to.squares + 8 * h);
    }
    for (std::size_t i = 0; i < n; i += sum_lanes) {
        for (std::size_t h = 0; h < 2; ++h) {
            const __m512d x = _mm512_cvtps_pd(_mm256_loadu_ps(values + i + 8 * h));
            const __m512d off = _mm512_sub_pd(x, around);
            __m512d product = _mm512_mul_pd(off, off);
            asm("" : "+v"(product));
            sum[h] = _mm512_add_pd(sum[h], off);
            square[h] = _mm512_add_pd(square[h], product);
        }
    }
    for (std::size_t h = 0; h < 2; ++h) {
        _mm512_storeu_pd(to.sums + 8 * h, sum[h]);
        _mm512_storeu_pd(to.squares + 8 * h, square[h]);
    }
}

/// Adds those of sixteen elements that `chosen` names to sixteen lanes.
PAPILIO_AVX512 inline void add_chosen(__m512 x, __mmask16 chosen, double* sums)
{
    const __m512d first = _mm512_cvtps_pd(_mm512_castps512_ps256(x));
    const __m512d second = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
    const __m512d low = _mm512_loadu_pd(sums), high = _mm512_loadu_pd(sums + 8);
    _mm512_storeu_pd(sums, _mm512_mask_add_pd(low, static_cast<__mmask8>(chosen), low, first));
    _mm512_storeu_pd(sums + 8,
                     _mm512_mask_add_pd(high, static_cast<__mmask8>(chosen >> 8), high, second));
}

PAPILIO_AVX512 inline void classify(const float* values, std::size_t n, uniform8_scale by,
                                    bucket_tile& tile)
{
    const __m512 mean = _mm512_set1_ps(by.mean), inverse = _mm512_set1_ps(by.inverse);
    const __m512i once = _mm512_set1_epi64(bucket_tile::once);
    for (std::size_t i = 0; i < n; i += sum_lanes) {
        const __m512 x = _mm512_loadu_ps(values + i);
        __m512 scaled = _mm512_mul_ps(_mm512_sub_ps(x, mean), inverse);
        asm("" : "+v"(scaled));
        const __m512 within =
            _mm512_min_ps(_mm512_max_ps(scaled, _mm512_set1_ps(-128)), _mm512_set1_ps(127));
        const __m512i rounded = _mm512_cvtps_epi32(within);
        const __m512i code = _mm512_add_epi32(rounded, _mm512_set1_epi32(128));
        const __mmask16 low = _mm512_testn_epi32_mask(code, code);
        const __mmask16 high = _mm512_cmpeq_epi32_mask(code, _mm512_set1_epi32(255));
        const __mmask16 inner = _knot_mask16(_kor_mask16(low, high));
        const __m512 off = _mm512_mul_ps(_mm512_sub_ps(within, _mm512_cvtepi32_ps(rounded)),
                                         _mm512_set1_ps(bucket_tile::fraction));
        const __m512i fixed = _mm512_maskz_cvttps_epi32(inner, off);
        const __m512i first = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(fixed));
        const __m512i second = _mm512_cvtepi32_epi64(_mm512_extracti32x8_epi32(fixed, 1));
        _mm512_storeu_si512(tile.words + i, _mm512_add_epi64(first, once));
        _mm512_storeu_si512(tile.words + i + 8, _mm512_add_epi64(second, once));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(tile.codes + i), _mm512_cvtepi32_epi8(code));
        if (inner == 0xffff) continue;
        add_chosen(x, low, tile.low);
        add_chosen(x, high, tile.high);
    }
}

/// The codebook stands in sixteen registers. The lower five bits of a code pick from each pair of
/// them, and the upper three among the pairs.
PAPILIO_AVX512 inline void look_up(const std::byte* codes, std::size_t n, const float* codebook,
                                   float* values)
{
    __m512 book[16];
    for (std::size_t k = 0; k < 16; ++k) book[k] = _mm512_loadu_ps(codebook + 16 * k);
    std::size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m512i code =
            _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i)));
        const __mmask16 upper[3] = {_mm512_test_epi32_mask(code, _mm512_set1_epi32(32)),
                                    _mm512_test_epi32_mask(code, _mm512_set1_epi32(64)),
                                    _mm512_test_epi32_mask(code, _mm512_set1_epi32(128))};
        __m512 found[8];
        for (std::size_t k = 0; k < 8; ++k)
            found[k] = _mm512_permutex2var_ps(book[2 * k], code, book[2 * k + 1]);
        for (std::size_t k = 0; k < 4; ++k)
            found[k] = _mm512_mask_blend_ps(upper[0], found[2 * k], found[2 * k + 1]);
        for (std::size_t k = 0; k < 2; ++k)
            found[k] = _mm512_mask_blend_ps(upper[1], found[2 * k], found[2 * k + 1]);
        _mm512_storeu_ps(values + i, _mm512_mask_blend_ps(upper[2], found[0], found[1]));
    }
    detail::look_up(codes + i, n - i, codebook, values + i);
}

}  // namespace avx512

#undef PAPILIO_AVX512
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif

inline constexpr uniform8_kernels avx512_uniform8{avx512::add_moments, avx512::classify,
                                                  avx512::look_up};

#endif

}  // namespace papilio::inline PAPILIO_MODE::detail
