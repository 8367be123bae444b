#pragma once

#include <papilio/base/config.hpp>
#include <papilio/cuda/tile_memory.cuh>

// Tiles that end early or lie where words cannot reach: element by element, byte by byte.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

template <class Warp>
PAPILIO_DEVICE void load_some_values(const Warp& warp, const float* from, int size,
                                     typename Warp::template lanes<quad>& values)
{
    warp.each([&](int lane) {
        for (int j = 0; j < per_lane; ++j) {
            const int i = lane * per_lane + j;
            values[lane].at[j] = i < size ? from[i] : 0;
        }
    });
}

template <class Warp>
PAPILIO_DEVICE void store_some_values(const Warp& warp,
                                      const typename Warp::template lanes<quad>& from, int size,
                                      float* to)
{
    warp.each([&](int lane) {
        for (int j = 0; j < per_lane; ++j) {
            const int i = lane * per_lane + j;
            if (i < size) to[i] = from[lane].at[j];
        }
    });
}

/// Where the four bits of element `i` of a block of `size` elements lie: the first half of the
/// elements in the lower halves of the bytes, the second in the upper.
struct nibble {
    int byte = 0;
    int shift = 0;

    PAPILIO_DEVICE nibble(int i, int size) : byte(i), shift(0)
    {
        const int half = (size + 1) / 2;
        if (i >= half) byte = i - half, shift = 4;
    }
};

/// How many of the `size` elements of a tile are in the block of `lane`.
template <class Format>
PAPILIO_DEVICE int block_rest(int lane, int size)
{
    const int rest = size - lane / block_lanes<Format> * Format::block;
    return rest < 0 ? 0 : rest < Format::block ? rest : Format::block;
}

/// False if bits are set beyond the last element.
template <class Format, class Warp>
PAPILIO_DEVICE bool load_some(const Warp& warp, run<Format, const std::byte> from,
                              std::size_t begin, int size, encoded_tile<Format, Warp>& tile)
{
    const std::byte* codes_at = from.codes_of(begin);
    const std::byte* scales_at = from.scales_of(begin);
    constexpr int lanes = block_lanes<Format>;
    typename Warp::template lanes<bool> dirty;
    warp.each([&](int lane) {
        tile.code[lane] = {};
        for (int j = 0; j < per_lane; ++j) {
            const int i = lane * per_lane + j;
            std::uint32_t code = 0;
            if (i >= size) continue;
            if constexpr (Format::bits == 4) {
                const int rest = block_rest<Format>(lane, size), in_block = i % Format::block;
                const nibble where(in_block, rest);
                const auto* byte = codes_at + (i - in_block) / 2 + where.byte;
                code = static_cast<std::uint32_t>(*byte) >> where.shift & 0x0f;
                const bool alone = rest % 2 != 0 && in_block == rest / 2;
                if (alone && static_cast<std::uint32_t>(*byte) >> 4 != 0) dirty[lane] = true;
            } else {
                constexpr int bytes_each = Format::bits / 8;
                for (int b = 0; b < bytes_each; ++b)
                    code |= static_cast<std::uint32_t>(codes_at[i * bytes_each + b]) << 8 * b;
            }
            put_code<Format>(tile.code[lane], j, code);
        }
        tile.scale[lane] = 0;
        if constexpr (Format::block != 0)
            if (block_rest<Format>(lane, size) > 0)
                tile.scale[lane] = load16(scales_at + lane / lanes * sizeof(std::uint16_t));
    });
    return warp.ballot(dirty) == 0;
}

/// Of a block of four bits each, the lanes of the first half write all bytes; `of` brings them the
/// codes of the second half.
template <class Format, class Warp>
PAPILIO_DEVICE void store_some_nibbles(const Warp& warp, const encoded_tile<Format, Warp>& tile,
                                       int size, std::byte* codes_at)
{
    constexpr int lanes = block_lanes<Format>;
    typename Warp::template lanes<std::uint32_t> mine;
    warp.each([&](int lane) { mine[lane] = tile.code[lane].at[0]; });
    for (int j = 0; j < per_lane; ++j) {
        const auto above = [&](int lane) {  // the element in the upper half of this lane's byte j
            const int half = (block_rest<Format>(lane, size) + 1) / 2;
            return (lane % lanes * per_lane + j + half) % Format::block;
        };
        typename Warp::template lanes<int> owner;
        warp.each([&](int lane) { owner[lane] = lane / lanes * lanes + above(lane) / per_lane; });
        const auto theirs = warp.shuffle(mine, owner);
        warp.each([&](int lane) {
            const int rest = block_rest<Format>(lane, size), in_block = lane % lanes * per_lane + j;
            if (in_block >= (rest + 1) / 2) return;
            const bool alone = rest % 2 != 0 && in_block == rest / 2;
            const auto low = mine[lane] >> 8 * j & 0x0f;
            const auto high = alone ? 0 : theirs[lane] >> 8 * (above(lane) % per_lane) & 0x0f;
            const int byte = lane / lanes * (Format::block / 2) + in_block;
            codes_at[byte] = static_cast<std::byte>(low | high << 4);
        });
    }
}

template <class Format, class Warp>
PAPILIO_DEVICE void store_some(const Warp& warp, const encoded_tile<Format, Warp>& tile,
                               run<Format, std::byte> to, std::size_t begin, int size)
{
    std::byte* codes_at = to.codes_of(begin);
    std::byte* scales_at = to.scales_of(begin);
    constexpr int lanes = block_lanes<Format>;
    if constexpr (Format::bits == 4) {
        store_some_nibbles(warp, tile, size, codes_at);
    } else {
        constexpr int bytes_each = Format::bits / 8;
        warp.each([&](int lane) {
            for (int j = 0; j < per_lane; ++j)
                for (int b = 0; b < bytes_each; ++b) {
                    const int i = lane * per_lane + j;
                    const auto code = code_at<Format>(tile.code[lane], j) >> 8 * b;
                    if (i < size)
                        codes_at[i * bytes_each + b] = static_cast<std::byte>(code & 0xff);
                }
        });
    }
    if constexpr (Format::block != 0)
        warp.each([&](int lane) {
            if (lane % lanes == 0 && block_rest<Format>(lane, size) > 0)
                store16(scales_at + lane / lanes * sizeof(std::uint16_t), tile.scale[lane]);
        });
}

}  // namespace papilio::cuda::detail
