#pragma once

#include <papilio/base/config.hpp>
#include <papilio/cuda/stripes.cuh>

// Many contributions of a run into one, in one pass: what is decoded and added up stays in
// registers.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

/// What is to be reduced, and how: each contribution times its factor if `weighs`, added up in the
/// order given, and divided by `divisor` if `divides`.
struct contributions {
    static constexpr int most = 128;  // kernels get them by value

    const std::byte* at[most] = {};
    float factor[most] = {};
    float divisor = 1;
    int count = 0;
    bool weighs = false;
    bool divides = false;

    /// The sum with the next contribution's value `x`.
    PAPILIO_DEVICE float with(float sum, int contribution, float x) const
    {
        if (weighs) x = times(factor[contribution], x);
        return contribution == 0 ? x : plus(sum, x);
    }

    PAPILIO_DEVICE float result(float sum) const { return divides ? over(sum, divisor) : sum; }
};

/// Where the result of a reduction goes. What is encoded goes to `to` if that is somewhere, and
/// what it decodes to goes to `out`, if that is somewhere; without `to`, `out` gets the result
/// itself. `refused` has a flag for each contribution and one more for the result.
template <class Back>
struct reduced {
    run<Back, std::byte> to;
    float* out = nullptr;
    flag* refused = nullptr;
    bool aligned = false;

    /// One tile of the result. `whole` ones may be moved in words.
    template <class Warp>
    PAPILIO_DEVICE void put(const Warp& warp, typename Warp::template lanes<quad>& values,
                            std::size_t begin, int size, bool whole, flag* overflow) const
    {
        if (to.at != nullptr) {
            encoded_tile<Back, Warp> tile;
            if (!encode_tile<Back>(warp, values, tile)) raise(overflow);
            if (whole)
                store_tile<Back>(warp, tile, to, begin);
            else
                store_some<Back>(warp, tile, to, begin, size);
            if (out != nullptr) decode_tile<Back>(warp, tile, values);
        }
        if (out == nullptr) return;
        if (whole)
            store_values(warp, values, out + begin);
        else
            store_some_values(warp, values, size, out + begin);
    }
};

template <class From, class Back>
struct reduce_stripe {
    static constexpr std::size_t unit = stripe_size;

    contributions of;
    reduced<Back> into;

    template <class Warp>
    PAPILIO_DEVICE void operator()(const Warp& warp, std::size_t index) const
    {
        if (into.aligned && is_whole(index, into.to.n))
            whole(warp, index);
        else
            ragged(warp, index);
    }

private:
    template <class Warp>
    using quads = typename Warp::template lanes<quad>;

    PAPILIO_DEVICE run<From, const std::byte> contribution(int k) const
    {
        return {of.at[k], into.to.n};
    }
    PAPILIO_DEVICE flag* overflow() const { return into.refused + of.count; }

    template <class Warp>
    PAPILIO_DEVICE void whole(const Warp& warp, std::size_t index) const
    {
        const std::size_t begin = index * stripe_size;
        quads<Warp> sums[stripe_tiles];
        for (int k = 0; k < of.count; ++k) {
            encoded_tile<From, Warp> tiles[stripe_tiles];
            bool plausible = true;
            for_each_tile([&](auto t) {
                load_tile<From>(warp, contribution(k), begin + t * tile_size, tiles[t]);
            });
            for_each_tile([&](auto t) {
                quads<Warp> decoded;
                plausible &= decode_tile<From>(warp, tiles[t], decoded);
                accumulate(warp, k, decoded, sums[t]);
            });
            if (!plausible) raise(into.refused + k);
        }
        for_each_tile([&](auto t) {
            finish(warp, sums[t]);
            into.put(warp, sums[t], begin + t * tile_size, tile_size, true, overflow());
        });
    }

    template <class Warp>
    PAPILIO_DEVICE void ragged(const Warp& warp, std::size_t index) const
    {
        for_each_ragged_tile(index, into.to.n, [&](std::size_t begin, int size) {
            quads<Warp> sums;
            for (int k = 0; k < of.count; ++k) {
                encoded_tile<From, Warp> tile;
                quads<Warp> decoded;
                bool plausible = load_some<From>(warp, contribution(k), begin, size, tile);
                plausible &= decode_tile<From>(warp, tile, decoded);
                if (!plausible) raise(into.refused + k);
                accumulate(warp, k, decoded, sums);
            }
            finish(warp, sums);
            into.put(warp, sums, begin, size, false, overflow());
        });
    }

    template <class Warp>
    PAPILIO_DEVICE void accumulate(const Warp& warp, int k, const quads<Warp>& decoded,
                                   quads<Warp>& sums) const
    {
        warp.each([&](int lane) {
            for (int j = 0; j < per_lane; ++j)
                sums[lane].at[j] = of.with(sums[lane].at[j], k, decoded[lane].at[j]);
        });
    }

    template <class Warp>
    PAPILIO_DEVICE void finish(const Warp& warp, quads<Warp>& sums) const
    {
        warp.each([&](int lane) {
            for (float& x : sums[lane].at) x = of.result(x);
        });
    }
};

}  // namespace papilio::cuda::detail
