#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/avx2.hpp>

#if defined(__x86_64__)

// Sixteen floats at a time, on processors with AVX-512 F, BW, DQ and VL; otherwise as avx2.hpp.
// Masks are of all lanes.
#define PAPILIO_WITH "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi2"
#define PAPILIO_TARGET __attribute__((target(PAPILIO_WITH)))
#define PAPILIO_OPERATION __attribute__((target(PAPILIO_WITH), always_inline)) static

namespace papilio::inline PAPILIO_MODE::detail::avx512 {

/// What is done to fewer lanes stays.
struct operations : avx2::operations {
    using base = avx2::operations;

    static constexpr std::size_t lanes = 16;

    using f32 = float __attribute__((vector_size(64)));
    using i32 = int __attribute__((vector_size(64)));
    using u32 = unsigned __attribute__((vector_size(64)));
    using f64 = double __attribute__((vector_size(64)));
    using i64 = long long __attribute__((vector_size(64)));
    using u8 = unsigned char __attribute__((vector_size(64)));
    using chars = char __attribute__((vector_size(64)));
    using half_f32 = base::f32;
    using half_i32 = base::i32;
    using half_i16 = short __attribute__((vector_size(32)));
    using half_u16 = unsigned short __attribute__((vector_size(32)));
    using half_u8 = base::u8;

    PAPILIO_OPERATION half_i32 low(i32 x)
    {
        return __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7);
    }
    PAPILIO_OPERATION half_i32 high(i32 x)
    {
        return __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
    }
    PAPILIO_OPERATION half_u8 low(u8 x) { return (half_u8)low((i32)x); }
    PAPILIO_OPERATION half_u8 high(u8 x) { return (half_u8)high((i32)x); }

    PAPILIO_OPERATION int largest_of(i32 x)
    {
        const half_i32 a = low(x), b = high(x);
        return base::largest_of(a > b ? a : b);
    }
    PAPILIO_OPERATION bool all_at_most(u32 x, unsigned limit)
    {
        constexpr int less_or_equal = 2;
        const i32 limits = (i32)(u32{} + limit);
        return __builtin_ia32_ucmpd512_mask((i32)x, limits, less_or_equal, 0xffff) == 0xffff;
    }
    using base::any_high;
    PAPILIO_OPERATION bool any_high(u8 x) { return __builtin_ia32_cvtb2mask512((chars)x) != 0; }

    using base::raised;
    PAPILIO_OPERATION u8 raised(u8 x) { return (u8)((i64)(x & 15) << 4); }

    static constexpr int rounding = 4;  // as the processor is set to
    PAPILIO_OPERATION i32 rounded(f32 x)
    {
        return __builtin_ia32_cvtps2dq512_mask(x, i32{}, -1, rounding);
    }
    PAPILIO_OPERATION half_i16 to_f16(f32 x)
    {
        return __builtin_ia32_vcvtps2ph512_mask(x, 0, half_i16{}, 0xffff);
    }
    PAPILIO_OPERATION f32 from_f16(half_i16 x)
    {
        return __builtin_ia32_vcvtph2ps512_mask(x, f32{}, -1, rounding);
    }

#if defined(__clang__)
    using sixteen_i8 = signed char __attribute__((vector_size(16)));

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
        sixteen_i8 x;
        __builtin_memcpy(&x, from, sizeof x);
        return __builtin_convertvector(x, i32);
    }
    PAPILIO_OPERATION i32 widened_bytes(const std::byte* from)
    {
        sixteen_u8 x;
        __builtin_memcpy(&x, from, sizeof x);
        return __builtin_convertvector(x, i32);
    }
    PAPILIO_OPERATION half_i16 narrowed(i32 x)
    {
        return __builtin_convertvector(x, half_i16);
    }
    PAPILIO_OPERATION sixteen_u8 bytes(i32 x)
    {
        return __builtin_convertvector(x, sixteen_u8);
    }
    PAPILIO_OPERATION i32 packed_within(i32 a, i32 b, i32 c, i32 d)
    {
        return (i32)__builtin_ia32_packsswb512(__builtin_ia32_packssdw512(a, b),
                                               __builtin_ia32_packssdw512(c, d));
    }
    PAPILIO_OPERATION f32 clamped(f32 x, float least, float most)
    {
        const f32 raised = __builtin_ia32_maxps512(x, f32{} + least, rounding);
        return __builtin_ia32_minps512(raised, f32{} + most, rounding);
    }
    PAPILIO_OPERATION u8 magnitudes_of(u8 codes)
    {
        using i8 = signed char __attribute__((vector_size(64)));
        return (u8)__builtin_elementwise_abs((i8)codes);
    }
    PAPILIO_OPERATION f32 picked(f32 from, i32 indices)
    {
        return __builtin_ia32_permvarsf512(from, indices);
    }
    PAPILIO_OPERATION f32 picked(f32 low, f32 high, i32 indices)
    {
        return __builtin_ia32_vpermi2varps512(low, indices, high);
    }
#else
    PAPILIO_OPERATION sixteen_chars sixteen(const std::byte* from)
    {
        sixteen_chars all;
        __builtin_memcpy(&all, from, sizeof all);
        return all;
    }
    PAPILIO_OPERATION i32 widened(half_u16 x)
    {
        return __builtin_ia32_pmovzxwd512_mask((half_i16)x, i32{}, 0xffff);
    }
    PAPILIO_OPERATION i64 widened(half_i32 x)
    {
        return __builtin_ia32_pmovsxdq512_mask(x, i64{}, 0xff);
    }
    PAPILIO_OPERATION f64 widened(half_f32 x)
    {
        return __builtin_ia32_cvtps2pd512_mask(x, f64{}, -1, rounding);
    }
    PAPILIO_OPERATION i32 widened_codes(const std::byte* from)
    {
        return __builtin_ia32_pmovsxbd512_mask(sixteen(from), i32{}, 0xffff);
    }
    PAPILIO_OPERATION i32 widened_bytes(const std::byte* from)
    {
        return __builtin_ia32_pmovzxbd512_mask(sixteen(from), i32{}, 0xffff);
    }
    PAPILIO_OPERATION half_i16 narrowed(i32 x)
    {
        return __builtin_ia32_pmovdw512_mask(x, half_i16{}, 0xffff);
    }
    PAPILIO_OPERATION sixteen_u8 bytes(i32 x)
    {
        return (sixteen_u8)__builtin_ia32_pmovdb512_mask(x, sixteen_chars{}, 0xffff);
    }
    PAPILIO_OPERATION i32 packed_within(i32 a, i32 b, i32 c, i32 d)
    {
        using i16 = short __attribute__((vector_size(64)));
        const i16 first = __builtin_ia32_packssdw512_mask(a, b, i16{}, 0xffffffff);
        const i16 second = __builtin_ia32_packssdw512_mask(c, d, i16{}, 0xffffffff);
        return (i32)__builtin_ia32_packsswb512_mask(first, second, chars{}, ~0ull);
    }
    PAPILIO_OPERATION f32 clamped(f32 x, float least, float most)
    {
        const f32 raised = __builtin_ia32_maxps512_mask(x, f32{} + least, f32{}, -1, rounding);
        return __builtin_ia32_minps512_mask(raised, f32{} + most, f32{}, -1, rounding);
    }
    PAPILIO_OPERATION u8 magnitudes_of(u8 codes)
    {
        return (u8)__builtin_ia32_pabsb512_mask((chars)codes, chars{}, ~0ull);
    }
    PAPILIO_OPERATION f32 picked(f32 from, i32 indices)
    {
        return __builtin_shuffle(from, indices);
    }
    PAPILIO_OPERATION f32 picked(f32 low, f32 high, i32 indices)
    {
        return __builtin_shuffle(low, high, indices);
    }
#endif

    /// The lowest bytes of lanes.
    PAPILIO_OPERATION void write_bytes(void* to, i32 x)
    {
        const sixteen_u8 all = bytes(x);
        __builtin_memcpy(to, &all, sizeof all);
    }
    PAPILIO_OPERATION u8 packed(i32 a, i32 b, i32 c, i32 d)
    {
        const i32 all = packed_within(a, b, c, d);
        return (u8)__builtin_shufflevector(all, all, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7,
                                           11, 15);
    }

    /// All sixteen products stand in a register, where codes pick among them.
    using products = f32;
    PAPILIO_OPERATION products products_of(float scale)
    {
        return f32{0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1} * scale;
    }
    PAPILIO_OPERATION f32 product(products of, i32 codes)
    {
        return picked(of, codes);
    }

    /// The codebook stands in sixteen registers. The lower five bits of a code pick from each pair
    /// of them, and the upper three among the pairs.
    struct book {
        f32 parts[16];
    };
    PAPILIO_OPERATION book book_of(const float* values)
    {
        book all;
        __builtin_memcpy(&all, values, sizeof all);
        return all;
    }
    template <int first = 0, int count = 16>
    PAPILIO_OPERATION f32 entries(const book& from, i32 codes)
    {
        if constexpr (count == 2) {
            return picked(from.parts[first], from.parts[first + 1], codes);
        } else {
            const f32 lower = entries<first, count / 2>(from, codes);
            const f32 upper = entries<first + count / 2, count / 2>(from, codes);
            return (codes & 8 * count) != 0 ? upper : lower;
        }
    }
};

}  // namespace papilio::detail::avx512

#define PAPILIO_LEVEL avx512
#include <papilio/codec/kernels/loops.inc>
#undef PAPILIO_LEVEL
#undef PAPILIO_OPERATION
#undef PAPILIO_TARGET
#undef PAPILIO_WITH

#endif
