#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/scalar.hpp>

#if defined(__x86_64__)

// Eight floats at a time, on processors with AVX2, FMA, F16C and BMI2: nearly all since 2015. The
// loops are those of loops.inc. The vectors are what g++ and clang offer without <immintrin.h>,
// which would be a third of all that a small program compiles: operators where there is one, and
// the compiler's names of instructions where there is none.
#define PAPILIO_TARGET __attribute__((target("avx2,fma,f16c,bmi2")))
#define PAPILIO_OPERATION __attribute__((target("avx2,fma,f16c,bmi2"), always_inline)) static

namespace papilio::inline PAPILIO_MODE::detail::avx2 {

struct operations {
    static constexpr std::size_t lanes = 8;

    using f32 = float __attribute__((vector_size(32)));
    using i32 = int __attribute__((vector_size(32)));
    using u32 = unsigned __attribute__((vector_size(32)));
    using f64 = double __attribute__((vector_size(32)));
    using i64 = long long __attribute__((vector_size(32)));
    using u8 = unsigned char __attribute__((vector_size(32)));
    using chars = char __attribute__((vector_size(32)));
    // As many lanes that are half as large, or half of them.
    using half_f32 = float __attribute__((vector_size(16)));
    using half_i32 = int __attribute__((vector_size(16)));
    using half_i64 = long long __attribute__((vector_size(16)));
    using half_i16 = short __attribute__((vector_size(16)));
    using half_u16 = unsigned short __attribute__((vector_size(16)));
    using half_u8 = unsigned char __attribute__((vector_size(16)));
    using sixteen_u8 = unsigned char __attribute__((vector_size(16)));
    using sixteen_chars = char __attribute__((vector_size(16)));

    PAPILIO_OPERATION half_i32 low(i32 x) { return __builtin_shufflevector(x, x, 0, 1, 2, 3); }
    PAPILIO_OPERATION half_i32 high(i32 x) { return __builtin_shufflevector(x, x, 4, 5, 6, 7); }
    PAPILIO_OPERATION half_u8 low(u8 x) { return (half_u8)low((i32)x); }
    PAPILIO_OPERATION half_u8 high(u8 x) { return (half_u8)high((i32)x); }

    PAPILIO_OPERATION int largest_of(i32 x)
    {
        const half_i32 a = low(x), b = high(x), four = a > b ? a : b;
        const half_i32 across = __builtin_shufflevector(four, four, 2, 3, 0, 1);
        const half_i32 two = four > across ? four : across;
        const half_i32 beside = __builtin_shufflevector(two, two, 1, 0, 3, 2);
        return (two > beside ? two : beside)[0];
    }
    PAPILIO_OPERATION bool all_at_most(u32 x, unsigned limit)
    {
        return __builtin_ia32_movmskps256((f32)(x <= limit)) == 0xff;
    }
    /// Whether some byte has its highest bit set.
    PAPILIO_OPERATION bool any_high(sixteen_u8 x)
    {
        return __builtin_ia32_pmovmskb128((sixteen_chars)x) != 0;
    }
    PAPILIO_OPERATION bool any_high(u8 x) { return __builtin_ia32_pmovmskb256((chars)x) != 0; }

    /// NaN becomes `least`.
    PAPILIO_OPERATION f32 clamped(f32 x, float least, float most)
    {
        return __builtin_ia32_minps256(__builtin_ia32_maxps256(x, f32{} + least), f32{} + most);
    }
    /// To nearest, ties to even.
    PAPILIO_OPERATION i32 rounded(f32 x) { return __builtin_ia32_cvtps2dq256(x); }
    PAPILIO_OPERATION half_i16 to_f16(f32 x) { return __builtin_ia32_vcvtps2ph256(x, 0); }
    PAPILIO_OPERATION f32 from_f16(half_i16 x) { return __builtin_ia32_vcvtph2ps256(x); }

    /// The lower four bits of bytes, as the upper ones. Shifted as bytes, g++ would double them
    /// four times.
    PAPILIO_OPERATION sixteen_u8 raised(sixteen_u8 x)
    {
        return (sixteen_u8)((half_i64)(x & 15) << 4);
    }
    PAPILIO_OPERATION u8 raised(u8 x) { return (u8)((i64)(x & 15) << 4); }

    /// The products of a scale and codes of four bits, the lowest ones of lanes.
    using products = float;
    PAPILIO_OPERATION products products_of(float scale) { return scale; }
    PAPILIO_OPERATION f32 product(products scale, i32 codes)
    {
        return __builtin_convertvector((i32)((u32)codes << 28) >> 28, f32) * scale;
    }

    /// A codebook of 256, and where codes point to in it.
    using book = const float*;
    PAPILIO_OPERATION book book_of(const float* values) { return values; }
    PAPILIO_OPERATION f32 entries(book from, i32 codes) { return gathered(from, codes); }

    // g++ widens and narrows lane by lane, unless it is told the instruction, which clang has no
    // name for.
#if defined(__clang__)
    using eight_i8 = signed char __attribute__((vector_size(8)));
    using eight_u8 = unsigned char __attribute__((vector_size(8)));

    PAPILIO_OPERATION i32 widened(half_u16 x)
    {
        return __builtin_convertvector(x, i32);
    }
    PAPILIO_OPERATION i64 widened(half_i32 x)
    {
        return __builtin_convertvector(x, i64);
    }
    PAPILIO_OPERATION f64 widened(half_f32 x)
    {
        return __builtin_convertvector(x, f64);
    }
    PAPILIO_OPERATION i32 widened_codes(const std::byte* from)
    {
        eight_i8 x;
        __builtin_memcpy(&x, from, sizeof x);
        return __builtin_convertvector(x, i32);
    }
    PAPILIO_OPERATION i32 widened_bytes(const std::byte* from)
    {
        eight_u8 x;
        __builtin_memcpy(&x, from, sizeof x);
        return __builtin_convertvector(x, i32);
    }
    PAPILIO_OPERATION u8 magnitudes_of(u8 codes)
    {
        using i8 = signed char __attribute__((vector_size(32)));
        return (u8)__builtin_elementwise_abs((i8)codes);
    }
    PAPILIO_OPERATION f32 gathered(const float* from, i32 indices)
    {
        return __builtin_ia32_gatherd_ps256(f32{}, from, indices, (f32)(i32{} - 1), 4);
    }
#else
    PAPILIO_OPERATION sixteen_chars eight(const std::byte* from)
    {
        half_i64 all = {};
        __builtin_memcpy(&all, from, 8);
        return (sixteen_chars)all;
    }
    PAPILIO_OPERATION i32 widened(half_u16 x)
    {
        return __builtin_ia32_pmovzxwd256((half_i16)x);
    }
    PAPILIO_OPERATION i64 widened(half_i32 x)
    {
        return __builtin_ia32_pmovsxdq256(x);
    }
    PAPILIO_OPERATION f64 widened(half_f32 x)
    {
        return __builtin_ia32_cvtps2pd256(x);
    }
    PAPILIO_OPERATION i32 widened_codes(const std::byte* from)
    {
        return __builtin_ia32_pmovsxbd256(eight(from));
    }
    PAPILIO_OPERATION i32 widened_bytes(const std::byte* from)
    {
        return __builtin_ia32_pmovzxbd256(eight(from));
    }
    PAPILIO_OPERATION u8 magnitudes_of(u8 codes)
    {
        return (u8)__builtin_ia32_pabsb256((chars)codes);
    }
    PAPILIO_OPERATION f32 gathered(const float* from, i32 indices)
    {
        return __builtin_ia32_gathersiv8sf(f32{}, from, indices, (f32)(i32{} - 1), 4);
    }
#endif

    /// The lower halves of lanes whose upper halves are zero.
    PAPILIO_OPERATION half_i16 narrowed(i32 x)
    {
        return __builtin_ia32_packusdw128(low(x), high(x));
    }
    /// The lowest bytes of lanes that hold no more.
    PAPILIO_OPERATION void write_bytes(void* to, i32 x)
    {
        const half_i16 words = narrowed(x);
        const auto bytes = __builtin_ia32_packuswb128(words, words);
        __builtin_memcpy(to, &bytes, 8);
    }
    /// Lanes that fit signed bytes, as such. Instructions pack within 16 bytes.
    PAPILIO_OPERATION u8 packed(i32 a, i32 b, i32 c, i32 d)
    {
        const auto first = __builtin_ia32_packssdw256(a, b);
        const auto second = __builtin_ia32_packssdw256(c, d);
        const i32 all = (i32)__builtin_ia32_packsswb256(first, second);
        return (u8)__builtin_shufflevector(all, all, 0, 4, 1, 5, 2, 6, 3, 7);
    }
};

}  // namespace papilio::detail::avx2

#define PAPILIO_LEVEL avx2
#include <papilio/codec/kernels/loops.inc>
#undef PAPILIO_LEVEL
#undef PAPILIO_OPERATION
#undef PAPILIO_TARGET

#endif
