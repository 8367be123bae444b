#pragma once

#include <papilio/base/config.hpp>

#include <cstddef>
#include <cstdint>

// The loops in which the codecs spend their time, behind one table per instruction set. Every level
// computes the same bytes and bits: a level is a way to be fast, never a format.
namespace papilio::inline PAPILIO_MODE::detail {

/// What a level of kernels asks of the machine.
enum class isa : unsigned char { scalar, neon, avx2, avx512 };

/// Between floats and the two bytes per element of a 16-bit format. No pointer need be aligned, and
/// nothing beside the n elements is touched. `accumulate` adds what it decodes to `sums`. All
/// return false if an element is not finite; what they should have filled then holds unspecified
/// values.
struct half_kernels {
    bool (*encode)(const float* values, std::size_t n, std::byte* encoded);
    bool (*decode)(const std::byte* encoded, std::size_t n, float* values);
    bool (*accumulate)(const std::byte* encoded, std::size_t n, float* sums);
};

/// Between floats and whole blocks of codes with one scale each. `encode` returns false if a block
/// holds what the format cannot take, `decode` and `accumulate` if it is one that `encode` could
/// not have written; what they should have filled then holds unspecified values.
struct block_kernels {
    bool (*encode)(const float* values, std::size_t blocks, std::byte* codes, std::byte* scales);
    bool (*decode)(const std::byte* codes, const std::byte* scales, std::size_t blocks,
                   float* values);
    bool (*accumulate)(const std::byte* codes, const std::byte* scales, std::size_t blocks,
                       float* sums);
};

/// Sums that sixteen lanes take turns to add to, so that any width of vector adds in one order:
/// element i goes to lane i mod 16.
inline constexpr std::size_t sum_lanes = 16;

struct moments {
    double sums[sum_lanes];     // of x - origin
    double squares[sum_lanes];  // of (x - origin)^2
};

/// What hivemind's uniform8 collects about the buckets of a tile of elements, to find their means.
struct bucket_tile {
    static constexpr std::size_t size = 256;
    std::uint8_t codes[size];
    std::int64_t words[size];  // how far an element is from its code, and a count of one: `word`
    double low[sum_lanes];     // the sum of elements with code 0, kept from tile to tile
    double high[sum_lanes];    // and with code 255

    /// Steps are counted in 2^-30, which the upper 16 bits count occurrences beside.
    static constexpr float fraction = 0x1p30f;
    static constexpr std::int64_t once = std::int64_t{1} << 48;
};

/// How an element becomes a code: as (x - mean) * inverse, rounded, plus 128, within a byte.
struct uniform8_scale {
    float mean = 0;
    float inverse = 0;
};

/// `add_moments` adds n elements, a multiple of 16, to `to`. `classify` fills the first n codes and
/// words of a tile, and adds to its outer sums; n is a multiple of 16, too, and at most a tile.
/// `look_up` fills `values` with the entries of a codebook of 256.
struct uniform8_kernels {
    void (*add_moments)(const float* values, std::size_t n, float origin, moments& to);
    void (*classify)(const float* values, std::size_t n, uniform8_scale scale, bucket_tile& tile);
    void (*look_up)(const std::byte* codes, std::size_t n, const float* codebook, float* values);
};

struct kernel_table {
    isa level;
    half_kernels as_f16;
    half_kernels as_bf16;
    block_kernels int8b;
    block_kernels int4b_32;
    block_kernels int4b_128;
    uniform8_kernels uniform8;
};

/// What the kernels must know of int8b. Scales are the bits of a bf16.
struct int8b_format {
    static constexpr const char* name = "int8b";
    static constexpr std::size_t block = 128;
    static constexpr std::size_t bits = 8;
    static constexpr std::int32_t largest_code = 127;
    static constexpr std::int32_t min_largest_code = 126;              // as scales are rounded up
    static constexpr std::uint16_t smallest_scale = 20 << 7 | 2;       // 2^-100 / 127, rounded up
    static constexpr std::uint16_t largest_scale = 248 << 7 | 2;       // the largest float's
    static constexpr std::uint16_t largest_full_scale = 248 << 7 | 1;  // times 127 it is finite
};

/// The same of int4b. The scales of the very largest numbers are rounded down instead, as seven
/// times the scale must be finite; their code is 7 all the same. Only stochastic rounding leaves it
/// at 6 at times.
template <std::size_t Block>
struct int4b_format {
    static constexpr const char* name = "int4b";
    static constexpr std::size_t block = Block;
    static constexpr std::size_t bits = 4;
    static constexpr std::int32_t largest_code = 7;
    static constexpr std::int32_t min_largest_code = 6;
    static constexpr std::uint16_t smallest_scale = 24 << 7 | 0x13;  // 2^-100 / 7, rounded up
    static constexpr std::uint16_t largest_scale = 252 << 7 | 0x12;
    static constexpr std::uint16_t largest_full_scale = largest_scale;
};

}  // namespace papilio::detail
