#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/avx512.hpp>
#include <papilio/codec/kernels/further_scalar.hpp>

#if defined(__x86_64__)

// The levels of further_base.hpp, compiled as avx2.hpp and avx512.hpp say, with a few more
// operations.
#define PAPILIO_TARGET __attribute__((target("avx2,fma,f16c,bmi2")))
#define PAPILIO_OPERATION __attribute__((target("avx2,fma,f16c,bmi2"), always_inline)) static

namespace papilio::inline PAPILIO_MODE::detail::avx2 {

struct further : common {
    /// Picks among eight entries, or as many as there are lanes.
    PAPILIO_OPERATION f32 permuted(f32 from, i32 indices)
    {
        return __builtin_ia32_permvarsf256(from, indices);
    }

    /// Sixteen entries times a scale, among which the lowest four bits of lanes pick.
    struct levels {
        f32 lower, upper;
    };
    PAPILIO_OPERATION levels scaled(const float* entries, float scale)
    {
        return {read<f32>(entries) * scale, read<f32>(entries + 8) * scale};
    }
    PAPILIO_OPERATION f32 entry(const levels& of, i32 codes)
    {
        const f32 lower = permuted(of.lower, codes), upper = permuted(of.upper, codes);
        return __builtin_ia32_blendvps256(lower, upper, (f32)((u32)codes << 28));
    }

    /// Which lanes are negative, a bit each, and back: the sign of a lane from the bit.
    using signs = std::uint8_t;
    PAPILIO_OPERATION signs signs_of(i32 x)
    {
        return static_cast<signs>(__builtin_ia32_movmskps256((f32)x));
    }
    PAPILIO_OPERATION u32 signs_from(signs bits)
    {
        return ((u32{} + bits) << u32{31, 30, 29, 28, 27, 26, 25, 24}) & 0x80000000;
    }

    /// The lower and the upper codes of eight bytes, each by the lowest bits of lanes.
    template <bool adds>
    PAPILIO_OPERATION void put_block(const std::byte* codes, const levels& of, float* to)
    {
        const i32 pairs = widened_bytes(codes);
        put<adds>(entry(of, pairs), to);
        put<adds>(entry(of, pairs >> 4), to + lanes);
    }

    /// Of each sixteen bytes the first eight, with the second eight in the upper halves.
    PAPILIO_OPERATION sixteen_u8 paired(u8 codes)
    {
        const auto all = (i64)codes;
        const half_i64 first = __builtin_shufflevector(all, all, 0, 2);
        return (sixteen_u8)(first | __builtin_shufflevector(all, all, 1, 3) << 4);
    }

    PAPILIO_OPERATION i32 odd(i64 a, i64 b)
    {
        return __builtin_shufflevector((i32)a, (i32)b, 1, 3, 5, 7, 9, 11, 13, 15);
    }

#if defined(__clang__)
    PAPILIO_OPERATION half_i16 widened_words(const std::byte* from)
    {
        eight_i8 x;
        __builtin_memcpy(&x, from, sizeof x);
        return __builtin_convertvector(x, half_i16);
    }
#else
    PAPILIO_OPERATION half_i16 widened_words(const std::byte* from)
    {
        return __builtin_ia32_pmovsxbw128(eight(from));
    }
#endif
};

}  // namespace papilio::detail::avx2

#define PAPILIO_LEVEL avx2
#include <papilio/codec/kernels/further.inc>
#undef PAPILIO_LEVEL
#undef PAPILIO_OPERATION
#undef PAPILIO_TARGET

#define PAPILIO_WITH "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi2"
#define PAPILIO_TARGET __attribute__((target(PAPILIO_WITH)))
#define PAPILIO_OPERATION __attribute__((target(PAPILIO_WITH), always_inline)) static

namespace papilio::inline PAPILIO_MODE::detail::avx512 {

struct further : common {
    PAPILIO_OPERATION f32 permuted(f32 from, i32 indices) { return picked(from, indices); }

    using levels = f32;
    PAPILIO_OPERATION levels scaled(const float* entries, float scale)
    {
        return read<f32>(entries) * scale;
    }
    PAPILIO_OPERATION f32 entry(const levels& of, i32 codes) { return picked(of, codes); }

    using signs = std::uint16_t;
    PAPILIO_OPERATION signs signs_of(i32 x) { return __builtin_ia32_cvtd2mask512(x); }
    PAPILIO_OPERATION u32 signs_from(signs bits)
    {
        constexpr u32 places = {31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16};
        return ((u32{} + bits) << places) & 0x80000000;
    }

    template <bool adds>
    PAPILIO_OPERATION void put_block(const std::byte* codes, const levels& of, float* to)
    {
        const half_i32 pairs = base::widened_bytes(codes), upper = pairs >> 4;
        put<adds>(entry(of, __builtin_shufflevector(pairs, upper, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
                                                    11, 12, 13, 14, 15)),
                  to);
    }

    PAPILIO_OPERATION half_u8 paired(u8 codes)
    {
        using four_i64 = long long __attribute__((vector_size(32)));
        const auto all = (i64)codes;
        const four_i64 first = __builtin_shufflevector(all, all, 0, 2, 4, 6);
        return (half_u8)(first | __builtin_shufflevector(all, all, 1, 3, 5, 7) << 4);
    }

    PAPILIO_OPERATION i32 odd(i64 a, i64 b)
    {
        return __builtin_shufflevector((i32)a, (i32)b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23,
                                       25, 27, 29, 31);
    }

#if defined(__clang__)
    PAPILIO_OPERATION half_i16 widened_words(const std::byte* from)
    {
        sixteen_i8 x;
        __builtin_memcpy(&x, from, sizeof x);
        return __builtin_convertvector(x, half_i16);
    }
#else
    PAPILIO_OPERATION half_i16 widened_words(const std::byte* from)
    {
        return __builtin_ia32_pmovsxbw256(sixteen(from));
    }
#endif
};

}  // namespace papilio::detail::avx512

#define PAPILIO_LEVEL avx512
#include <papilio/codec/kernels/further.inc>
#undef PAPILIO_LEVEL
#undef PAPILIO_OPERATION
#undef PAPILIO_TARGET
#undef PAPILIO_WITH

#endif
