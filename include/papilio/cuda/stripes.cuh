#pragma once

#include <papilio/base/config.hpp>
#include <papilio/cuda/ragged_tile.cuh>

#include <type_traits>
#include <utility>

// What warps do to a run of elements, a stripe of four tiles at a time: all loads of a stripe are
// under way before the first is used. Each of the works below is called with a warp and the index
// of a stripe; stripes may be done in any order and at the same time.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

inline constexpr int stripe_tiles = 4;
inline constexpr std::size_t stripe_size = stripe_tiles * tile_size;

/// `work(t)` for each tile of a stripe, `t` being known to the compiler, so that what a lane holds
/// of all of them stays in registers.
template <class Work>
PAPILIO_DEVICE void for_each_tile(const Work& work)
{
    [&]<int... t>(std::integer_sequence<int, t...>)
    {
        (work(std::integral_constant<int, t>{}), ...);
    }
    (std::make_integer_sequence<int, stripe_tiles>{});
}

/// `work(begin, size)` for the tiles of stripe `index`, the last of which may be short.
template <class Work>
PAPILIO_DEVICE void for_each_ragged_tile(std::size_t index, std::size_t n, const Work& work)
{
    for (int t = 0; t < stripe_tiles; ++t) {
        const std::size_t begin = index * stripe_size + static_cast<std::size_t>(t) * tile_size;
        if (begin >= n) return;
        const auto rest = n - begin;
        work(begin, rest < tile_size ? static_cast<int>(rest) : tile_size);
    }
}

PAPILIO_DEVICE constexpr bool is_whole(std::size_t index, std::size_t n) noexcept
{
    return n - index * stripe_size >= stripe_size;
}

/// Raises `refused` for what the codec cannot take. `aligned`: values to 16 bytes, and codes to
/// those that a lane writes at once.
template <class Format>
struct encode_stripe {
    static constexpr std::size_t unit = stripe_size;

    const float* values = nullptr;
    run<Format, std::byte> to;
    flag* refused = nullptr;
    bool aligned = false;

    template <class Warp>
    PAPILIO_DEVICE void operator()(const Warp& warp, std::size_t index) const
    {
        using quads = typename Warp::template lanes<quad>;
        bool taken = true;
        encoded_tile<Format, Warp> tile;
        if (aligned && is_whole(index, to.n)) {
            const std::size_t begin = index * stripe_size;
            quads all[stripe_tiles];
            for_each_tile(
                [&](auto t) { load_values(warp, values + begin + t * tile_size, all[t]); });
            for_each_tile([&](auto t) {
                taken &= encode_tile<Format>(warp, all[t], tile);
                store_tile<Format>(warp, tile, to, begin + t * tile_size);
            });
        } else {
            quads some;
            for_each_ragged_tile(index, to.n, [&](std::size_t begin, int size) {
                load_some_values(warp, values + begin, size, some);
                taken &= encode_tile<Format>(warp, some, tile);
                store_some<Format>(warp, tile, to, begin, size);
            });
        }
        if (!taken) raise(refused);
    }
};

/// Raises `refused` for bytes that no encoder could have written. Adds to what is there if `adds`.
template <class Format, bool adds>
struct decode_stripe {
    static constexpr std::size_t unit = stripe_size;

    run<Format, const std::byte> from;
    float* values = nullptr;
    flag* refused = nullptr;
    bool aligned = false;

    template <class Warp>
    PAPILIO_DEVICE void operator()(const Warp& warp, std::size_t index) const
    {
        const bool plausible =
            aligned && is_whole(index, from.n) ? whole(warp, index) : ragged(warp, index);
        if (!plausible) raise(refused);
    }

private:
    template <class Warp>
    PAPILIO_DEVICE bool whole(const Warp& warp, std::size_t index) const
    {
        using quads = typename Warp::template lanes<quad>;
        const std::size_t begin = index * stripe_size;
        encoded_tile<Format, Warp> tiles[stripe_tiles];
        quads sums[stripe_tiles];
        bool plausible = true;
        for_each_tile([&](auto t) {
            load_tile<Format>(warp, from, begin + t * tile_size, tiles[t]);
            if constexpr (adds) load_values(warp, values + begin + t * tile_size, sums[t]);
        });
        for_each_tile([&](auto t) {
            quads decoded;
            plausible &= decode_tile<Format>(warp, tiles[t], decoded);
            if constexpr (adds) add(warp, sums[t], decoded);
            store_values(warp, decoded, values + begin + t * tile_size);
        });
        return plausible;
    }

    template <class Warp>
    PAPILIO_DEVICE bool ragged(const Warp& warp, std::size_t index) const
    {
        using quads = typename Warp::template lanes<quad>;
        bool plausible = true;
        for_each_ragged_tile(index, from.n, [&](std::size_t begin, int size) {
            encoded_tile<Format, Warp> tile;
            quads decoded, sums;
            plausible &= load_some<Format>(warp, from, begin, size, tile);
            plausible &= decode_tile<Format>(warp, tile, decoded);
            if constexpr (adds) {
                load_some_values(warp, values + begin, size, sums);
                add(warp, sums, decoded);
            }
            store_some_values(warp, decoded, size, values + begin);
        });
        return plausible;
    }

    template <class Warp, class Quads>
    PAPILIO_DEVICE static void add(const Warp& warp, const Quads& sums, Quads& decoded)
    {
        warp.each([&](int lane) {
            for (int j = 0; j < per_lane; ++j)
                decoded[lane].at[j] = plus(sums[lane].at[j], decoded[lane].at[j]);
        });
    }
};

}  // namespace papilio::cuda::detail
