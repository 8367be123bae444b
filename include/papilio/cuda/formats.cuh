#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/finite.hpp>
#include <papilio/codec/fp8.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/kernels/scalar.hpp>
#include <papilio/cuda/base.cuh>

#include <bit>

// What kernels must know of a codec: `format<Codec>` says
// - `bits` per code;
// - `code(x)` and `value(code)`: one number, times the inverse of the scale if there is one;
// - `block`: how many elements share a scale, or 0 if there is none;
// - without a scale, `takes(code)`: whether the code is of a number that may travel;
// - with scales, `scale(largest)`: by the bits of the largest magnitude, which is finite;
// - `weight(code)` and `limits(scale)`: a block is one that the encoder could have written if
//   the largest weight among its codes is within the limits.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

namespace common = papilio::detail;

struct weight_limits {
    std::uint32_t least = 1;
    std::uint32_t most = 0;
};

template <class Codec>
struct format {
    static_assert(sizeof(Codec) == 0,
                  "there are kernels for identity, as_f16, as_bf16, int8b, int4b, fp8 and topk");
};

template <>
struct format<identity> {
    static constexpr int bits = 32;
    static constexpr int block = 0;

    PAPILIO_DEVICE static std::uint32_t code(float x) { return std::bit_cast<std::uint32_t>(x); }
    PAPILIO_DEVICE static float value(std::uint32_t code) { return std::bit_cast<float>(code); }
    PAPILIO_DEVICE static constexpr bool takes(std::uint32_t) { return true; }
};

template <class Half, std::uint16_t largest>
struct half_format {
    static constexpr int bits = 16;
    static constexpr int block = 0;

    PAPILIO_DEVICE static std::uint32_t code(float x)
    {
        return common::narrowed<Half, largest>(x).bits;
    }
    PAPILIO_DEVICE static float value(std::uint32_t code)
    {
        return std::bit_cast<Half>(static_cast<std::uint16_t>(code));
    }
    PAPILIO_DEVICE static bool takes(std::uint32_t code) { return (code & 0x7fff) <= largest; }
};

template <>
struct format<as_f16> : half_format<f16, 0x7bff> {
};
template <>
struct format<as_bf16> : half_format<bf16, 0x7f7f> {
};

template <class Integers>
struct integer_format {
    static constexpr int bits = Integers::bits;
    static constexpr int block = Integers::block;

    PAPILIO_DEVICE static common::block_scale scale(std::int32_t largest)
    {
        return common::scale_of<Integers>(largest);
    }

    /// Adding 1.5 * 2^23 rounds to an integer, ties to even, and leaves it in the low bits.
    PAPILIO_DEVICE static std::uint32_t code(float scaled)
    {
        constexpr std::uint32_t all = (1u << bits) - 1;
        return std::bit_cast<std::uint32_t>(plus(scaled, 0x1.8p23f)) & all;
    }

    PAPILIO_DEVICE static std::int32_t integer(std::uint32_t code)
    {
        constexpr std::int32_t sign = 1 << (bits - 1);
        return (static_cast<std::int32_t>(code) ^ sign) - sign;
    }
    PAPILIO_DEVICE static float value(std::uint32_t code)
    {
        return static_cast<float>(integer(code));
    }

    PAPILIO_DEVICE static std::uint32_t weight(std::uint32_t code)
    {
        const auto number = integer(code);
        return static_cast<std::uint32_t>(number < 0 ? -number : number);
    }

    /// Of the very largest scale only smaller codes are finite.
    PAPILIO_DEVICE static weight_limits limits(std::uint16_t scale)
    {
        if (scale == 0) return {0, 0};
        if (scale < Integers::smallest_scale || scale > Integers::largest_scale) return {};
        constexpr std::uint32_t least = Integers::min_largest_code;
        constexpr std::uint32_t most = Integers::largest_code;
        return {least, scale <= Integers::largest_full_scale ? most : least};
    }
};

template <>
struct format<int8b> : integer_format<common::int8b_format> {
};
template <std::size_t Block>
struct format<int4b<Block>> : integer_format<common::int4b_format<Block>> {
};

template <class Minifloat>
struct format<fp8<Minifloat>> {
    static constexpr int bits = 8;
    static constexpr int block = 128;

    PAPILIO_DEVICE static common::block_scale scale(std::int32_t largest)
    {
        const auto peak = std::bit_cast<float>(largest);
        if (peak < common::smallest_peak) return {0, 0};
        const auto rounded = common::scale_up(peak, Minifloat::largest);
        return {rounded, over(1, common::bf16_value(rounded))};
    }

    PAPILIO_DEVICE static std::uint32_t code(float scaled)
    {
        return common::minifloat_code<Minifloat>(scaled);
    }
    PAPILIO_DEVICE static float value(std::uint32_t code)
    {
        return common::minifloat_value<Minifloat>(static_cast<std::uint8_t>(code));
    }

    /// The sign counts least, so that only the code of +0 weighs nothing.
    PAPILIO_DEVICE static std::uint32_t weight(std::uint32_t code)
    {
        return (code & 0x7f) << 1 | code >> 7;
    }

    PAPILIO_DEVICE static weight_limits limits(std::uint16_t scale)
    {
        if (scale == 0) return {0, 0};
        if (!common::is_scale(scale, Minifloat::largest)) return {};
        return {Minifloat::largest_code << 1, Minifloat::largest_code << 1 | 1};
    }
};

}  // namespace papilio::cuda::detail
