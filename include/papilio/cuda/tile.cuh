#pragma once

#include <papilio/base/config.hpp>
#include <papilio/cuda/formats.cuh>
#include <papilio/cuda/warp.cuh>

// A tile: 128 elements that a warp encodes or decodes in its registers, four neighbours to a lane,
// whatever the codec; so what came by one codec goes on by any other.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

inline constexpr int per_lane = 4;
inline constexpr int tile_size = warp_size * per_lane;

struct quad {
    float at[per_lane] = {};
};

/// A lane's codes: as many bits each as the format says, but at least eight.
template <class Format>
using codes = words<Format::bits == 32   ? 4
                    : Format::bits == 16 ? 2
                                         : 1>;

/// A tile as it is encoded, spread over the lanes. Lanes of one block hold the same scale.
template <class Format, class Warp>
struct encoded_tile {
    typename Warp::template lanes<codes<Format>> code = {};
    typename Warp::template lanes<std::uint16_t> scale = {};
};

template <class Format>
PAPILIO_DEVICE std::uint32_t code_at(const codes<Format>& all, int j) noexcept
{
    if constexpr (Format::bits == 32) return all.at[j];
    if constexpr (Format::bits == 16) return all.at[j / 2] >> 16 * (j % 2) & 0xffff;
    constexpr std::uint32_t bits = Format::bits == 4 ? 0x0f : 0xff;
    return all.at[0] >> 8 * j & bits;
}

template <class Format>
PAPILIO_DEVICE void put_code(codes<Format>& all, int j, std::uint32_t code) noexcept
{
    if constexpr (Format::bits == 32)
        all.at[j] = code;
    else if constexpr (Format::bits == 16)
        all.at[j / 2] |= code << 16 * (j % 2);
    else
        all.at[0] |= code << 8 * j;
}

/// How many neighbouring lanes hold one block.
template <class Format>
inline constexpr int block_lanes = Format::block == 0 ? warp_size : Format::block / per_lane;

PAPILIO_DEVICE inline std::uint32_t magnitude_bits(float x) noexcept
{
    return std::bit_cast<std::uint32_t>(x) & 0x7fffffff;
}

/// Encodes a tile, whose numbers beyond the last element are zeros. False if one is not finite and
/// the format cannot take that.
template <class Format, class Warp>
PAPILIO_DEVICE bool encode_tile(const Warp& warp, const typename Warp::template lanes<quad>& values,
                                encoded_tile<Format, Warp>& to)
{
    if constexpr (Format::block == 0) {
        typename Warp::template lanes<bool> refused;
        warp.each([&](int lane) {
            refused[lane] = false;
            to.code[lane] = {};
            for (int j = 0; j < per_lane; ++j) {
                const auto code = Format::code(values[lane].at[j]);
                refused[lane] |= !Format::takes(code);
                put_code<Format>(to.code[lane], j, code);
            }
        });
        return warp.ballot(refused) == 0;
    } else {
        typename Warp::template lanes<std::uint32_t> largest;
        warp.each([&](int lane) {
            for (const float x : values[lane].at)
                if (magnitude_bits(x) > largest[lane]) largest[lane] = magnitude_bits(x);
        });
        largest = warp.template largest<block_lanes<Format>>(largest);
        typename Warp::template lanes<bool> refused;
        warp.each([&](int lane) {
            const auto by = Format::scale(static_cast<std::int32_t>(largest[lane]));
            refused[lane] = largest[lane] >= common::float_infinity;
            to.scale[lane] = by.bits;
            to.code[lane] = {};
            if (by.bits == 0) return;  // not even a sign is left
            for (int j = 0; j < per_lane; ++j) {
                const float scaled = times(values[lane].at[j], by.inverse);
                put_code<Format>(to.code[lane], j, Format::code(scaled));
            }
        });
        return warp.ballot(refused) == 0;
    }
}

/// Whether every group of `Width` lanes has one whose bit is set.
template <int Width>
PAPILIO_DEVICE constexpr bool in_every_group(std::uint32_t bits) noexcept
{
    std::uint32_t first_of_each = 0;
    for (int lane = 0; lane < warp_size; lane += Width) first_of_each |= 1u << lane;
    for (int step = 1; step < Width; step *= 2) bits |= bits >> step;
    return (bits & first_of_each) == first_of_each;
}

/// Decodes a tile, exactly: products of codes and scales fit into floats. False if it holds a block
/// that `encode_tile` could not have made; then the values are unspecified.
template <class Format, class Warp>
PAPILIO_DEVICE bool decode_tile(const Warp& warp, const encoded_tile<Format, Warp>& from,
                                typename Warp::template lanes<quad>& values)
{
    if constexpr (Format::block == 0) {
        typename Warp::template lanes<bool> refused;
        warp.each([&](int lane) {
            refused[lane] = false;
            for (int j = 0; j < per_lane; ++j) {
                const auto code = code_at<Format>(from.code[lane], j);
                refused[lane] |= !Format::takes(code);
                values[lane].at[j] = Format::value(code);
            }
        });
        return warp.ballot(refused) == 0;
    } else {
        typename Warp::template lanes<bool> enough, excess;
        warp.each([&](int lane) {
            const auto scale = common::bf16_value(from.scale[lane]);
            std::uint32_t heaviest = 0;
            for (int j = 0; j < per_lane; ++j) {
                const auto code = code_at<Format>(from.code[lane], j);
                if (Format::weight(code) > heaviest) heaviest = Format::weight(code);
                values[lane].at[j] = times(Format::value(code), scale);
            }
            const auto limits = Format::limits(from.scale[lane]);
            enough[lane] = heaviest >= limits.least;
            excess[lane] = heaviest > limits.most;
        });
        const auto excesses = warp.ballot(excess);
        return in_every_group<block_lanes<Format>>(warp.ballot(enough)) && excesses == 0;
    }
}

}  // namespace papilio::cuda::detail
