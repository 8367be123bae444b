#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/kernels/packed.hpp>
#include <papilio/codec/minifloat.hpp>
#include <papilio/codec/scale.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

// fp4, the reference.
namespace papilio::inline PAPILIO_MODE::detail {

/// What the codes of e2m1 are worth.
inline constexpr auto e2m1_values = [] {
    std::array<float, 16> values{};
    for (std::uint8_t code = 0; code < 16; ++code) values[code] = minifloat_value<e2m1>(code);
    return values;
}();

/// A run with the two levels of fp4: 64 blocks of 16 elements under one outer scale.
struct fp4_run {
    static constexpr std::size_t block = 16;
    static constexpr std::size_t count = 64;
    static constexpr std::size_t size = block * count;
    static constexpr std::size_t code_bytes = size / 2;

    std::uint16_t outer = 0;         // bf16
    std::uint8_t inner[count] = {};  // e4m3
    std::uint8_t codes[size] = {};   // e2m1

    /// What the largest inner scale times the largest code is worth.
    static constexpr float most = e4m3::largest * e2m1::largest;

    float scale(std::size_t b) const { return minifloat_value<e4m3>(inner[b]) * bf16_value(outer); }
};

/// False if a value is not finite.
inline bool encode_fp4(const float* values, fp4_run& to)
{
    constexpr auto block = fp4_run::block;
    float peaks[fp4_run::count];
    for (std::size_t b = 0; b < fp4_run::count; ++b)
        peaks[b] = std::bit_cast<float>(largest_magnitude<block>(values + b * block));
    const auto largest = largest_magnitude<fp4_run::count>(peaks);
    if (largest >= float_infinity) return false;
    const auto peak = std::bit_cast<float>(largest);
    if (peak < smallest_peak) return true;

    to.outer = scale_up(peak, fp4_run::most);
    const auto inverse = 1 / (e2m1::largest * bf16_value(to.outer));
    for (auto& x : peaks) x *= inverse;
    round_now(peaks);
    for (std::size_t b = 0; b < fp4_run::count; ++b) {
        to.inner[b] = minifloat_code<e4m3>(peaks[b]);
        if (to.inner[b] == 0) continue;
        const auto block_inverse = 1 / to.scale(b);
        float scaled[block];
        for (std::size_t i = 0; i < block; ++i) scaled[i] = values[b * block + i] * block_inverse;
        round_now(scaled);
        for (std::size_t i = 0; i < block; ++i)
            to.codes[b * block + i] = minifloat_code<e2m1>(scaled[i]);
    }
    return true;
}

/// Whether `encode_fp4` could have written this: all is zero; or the largest inner scale is among
/// them, and each block with a scale has a code near the largest. Scales that are subnormal as e4m3
/// may be up to twice what the block needs.
inline bool is_fp4(const fp4_run& run)
{
    constexpr std::uint8_t first_normal = 1 << e4m3::mantissa_bits;
    std::uint8_t largest_inner = 0;
    for (std::size_t b = 0; b < fp4_run::count; ++b) {
        std::uint8_t largest = 0, any = 0;
        for (std::size_t i = 0; i < fp4_run::block; ++i) {
            const auto code = run.codes[b * fp4_run::block + i];
            largest = std::max(largest, static_cast<std::uint8_t>(code & 7));
            any = static_cast<std::uint8_t>(any | code);
        }
        const auto inner = run.inner[b];
        const std::uint8_t least = inner < first_normal ? 5 : e2m1::largest_code;
        if (inner == 0 ? any != 0 : largest < least) return false;
        largest_inner = std::max(largest_inner, inner);
    }
    if (run.outer == 0) return largest_inner == 0;
    return largest_inner == e4m3::largest_code && is_scale(run.outer, fp4_run::most);
}

/// Encodes a run of which `size` values count. Those beyond are zero.
template <class Size>
bool write_fp4_run(const float* values, Size size, std::byte* codes, std::byte* inner,
                   std::byte* outer)
{
    fp4_run run;
    if (!encode_fp4(values, run)) return false;
    for_each_tile<fp4_run::block>(size, [&](std::size_t at, auto block) {
        std::uint8_t* each = run.codes + at;
        std::fill(each + block, each + fp4_run::block, std::uint8_t{0});
        pack_nibbles(each, block, codes + at / 2);
        store(inner + at / fp4_run::block, run.inner[at / fp4_run::block]);
    });
    store(outer, run.outer);
    return true;
}

/// Fills `size` values, or adds to them; false for what `write_fp4_run` could not have written.
template <bool adds, class Size>
bool read_fp4_run(const std::byte* codes, const std::byte* inner, const std::byte* outer, Size size,
                  float* values)
{
    fp4_run run;
    for_each_tile<fp4_run::block>(size, [&](std::size_t at, auto block) {
        unpack_nibbles(codes + at / 2, block, run.codes + at);
        run.inner[at / fp4_run::block] = load<std::uint8_t>(inner + at / fp4_run::block);
    });
    run.outer = load<std::uint16_t>(outer);
    const std::size_t end = size;  // where an odd number of codes is followed by none
    const bool padded = end % 2 == 0 || run.codes[end] == 0;
    if (!padded || !is_fp4(run)) return false;
    for_each_tile<fp4_run::block>(size, [&](std::size_t at, auto block) {
        const auto scale = run.scale(at / fp4_run::block);
        for (std::size_t i = 0; i < block; ++i) {
            const float x = minifloat_value<e2m1>(run.codes[at + i]) * scale;
            values[at + i] = adds ? values[at + i] + x : x;
        }
    });
    return true;
}

inline bool write_fp4(const float* values, std::size_t runs, std::byte* codes, std::byte* inner,
                      std::byte* outer)
{
    constexpr std::integral_constant<std::size_t, fp4_run::size> size;
    for (std::size_t r = 0; r < runs; ++r)
        if (!write_fp4_run(values + r * size, size, codes + r * fp4_run::code_bytes,
                           inner + r * fp4_run::count, outer + 2 * r))
            return false;
    return true;
}

template <bool adds>
bool read_fp4(const std::byte* codes, const std::byte* inner, const std::byte* outer,
              std::size_t runs, float* values)
{
    constexpr std::integral_constant<std::size_t, fp4_run::size> size;
    for (std::size_t r = 0; r < runs; ++r)
        if (!read_fp4_run<adds>(codes + r * fp4_run::code_bytes, inner + r * fp4_run::count,
                                outer + 2 * r, size, values + r * size))
            return false;
    return true;
}

}  // namespace papilio::detail
