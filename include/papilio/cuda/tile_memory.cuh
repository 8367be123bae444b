#pragma once

#include <papilio/base/config.hpp>
#include <papilio/cuda/tile.cuh>

// Tiles from memory and to it: whole ones in words, and the last one of a run byte by byte. A run
// is encoded as its codes, and then a scale of 16 bits per block, whatever the address of that.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

/// The bytes that the codes of `n` elements take.
template <class Format>
PAPILIO_DEVICE constexpr std::size_t code_bytes(std::size_t n) noexcept
{
    return Format::bits == 4 ? n / 2 + n % 2 : n * (Format::bits / 8);
}

/// An encoded run of `n` elements: where its parts lie. `Byte` is `std::byte` or const.
template <class Format, class Byte>
struct run {
    Byte* at = nullptr;
    std::size_t n = 0;

    /// Of the tile whose first element is `begin`.
    PAPILIO_DEVICE Byte* codes_of(std::size_t begin) const
    {
        return at + code_bytes<Format>(begin);
    }
    PAPILIO_DEVICE Byte* scales_of(std::size_t begin) const
    {
        constexpr std::size_t block = Format::block == 0 ? 1 : Format::block;
        return at + code_bytes<Format>(n) + begin / block * sizeof(std::uint16_t);
    }
};

template <class Warp>
PAPILIO_DEVICE void load_values(const Warp& warp, const float* from,
                                typename Warp::template lanes<quad>& values)
{
    warp.each([&](int lane) {
        const auto four = load_words<4>(from + lane * per_lane);
        for (int j = 0; j < per_lane; ++j) values[lane].at[j] = std::bit_cast<float>(four.at[j]);
    });
}

template <class Warp>
PAPILIO_DEVICE void store_values(const Warp& warp, const typename Warp::template lanes<quad>& from,
                                 float* to)
{
    warp.each([&](int lane) {
        words<4> four;
        for (int j = 0; j < per_lane; ++j)
            four.at[j] = std::bit_cast<std::uint32_t>(from[lane].at[j]);
        store_words(to + lane * per_lane, four);
    });
}

template <class Format, class Warp>
PAPILIO_DEVICE void load_tile(const Warp& warp, run<Format, const std::byte> from,
                              std::size_t begin, encoded_tile<Format, Warp>& tile)
{
    const std::byte* codes_at = from.codes_of(begin);
    const std::byte* scales_at = from.scales_of(begin);
    constexpr int lanes = block_lanes<Format>;
    warp.each([&](int lane) {
        if constexpr (Format::bits == 4) {
            // Both halves of a block's lanes read the same bytes, each its own half of them.
            const int word = lane / lanes * (lanes / 2) + lane % (lanes / 2);
            const auto both = load_words<1>(codes_at + word * per_lane).at[0];
            tile.code[lane].at[0] = both >> (lane % lanes < lanes / 2 ? 0 : 4) & 0x0f0f0f0f;
        } else {
            using lane_codes = codes<Format>;
            tile.code[lane] =
                load_words<sizeof(lane_codes) / 4>(codes_at + lane * sizeof(lane_codes));
        }
        if constexpr (Format::block != 0)
            tile.scale[lane] = load16(scales_at + lane / lanes * sizeof(std::uint16_t));
    });
}

template <class Format, class Warp>
PAPILIO_DEVICE void store_tile(const Warp& warp, const encoded_tile<Format, Warp>& tile,
                               run<Format, std::byte> to, std::size_t begin)
{
    std::byte* codes_at = to.codes_of(begin);
    std::byte* scales_at = to.scales_of(begin);
    constexpr int lanes = block_lanes<Format>;
    if constexpr (Format::bits == 4) {
        typename Warp::template lanes<std::uint32_t> mine;
        typename Warp::template lanes<int> partner;
        warp.each([&](int lane) {
            mine[lane] = tile.code[lane].at[0];
            partner[lane] = lane ^ (lanes / 2);
        });
        const auto theirs = warp.shuffle(mine, partner);
        warp.each([&](int lane) {
            if (lane % lanes >= lanes / 2) return;
            const int word = lane / lanes * (lanes / 2) + lane % lanes;
            store_words(codes_at + word * per_lane, words<1>{{mine[lane] | theirs[lane] << 4}});
        });
    } else {
        warp.each([&](int lane) {
            store_words(codes_at + lane * sizeof(codes<Format>), tile.code[lane]);
        });
    }
    if constexpr (Format::block != 0)
        warp.each([&](int lane) {
            if (lane % lanes == 0)
                store16(scales_at + lane / lanes * sizeof(std::uint16_t), tile.scale[lane]);
        });
}

}  // namespace papilio::cuda::detail
