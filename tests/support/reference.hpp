#pragma once

// An all-reduce computed the obvious way, in one place and without the library: what every peer's
// result is compared with, bit for bit. Conversions go through double and the C library, so that
// they share nothing with the code they judge.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

namespace reference {

using values = std::vector<float>;

/// Sizes of parts by largest remainder, for integer shares.
inline std::vector<std::size_t> part_sizes(std::size_t count, const std::vector<int>& shares)
{
    const auto total = static_cast<std::size_t>(std::accumulate(shares.begin(), shares.end(), 0));
    std::vector<std::size_t> sizes, remainders, order;
    std::size_t given = 0;
    for (const int share : shares) {
        sizes.push_back(count * static_cast<std::size_t>(share) / total);
        remainders.push_back(count * static_cast<std::size_t>(share) % total);
        order.push_back(order.size());
        given += sizes.back();
    }
    std::sort(order.begin(), order.end(), [&](auto a, auto b) {
        return remainders[a] != remainders[b] ? remainders[a] > remainders[b] : a < b;
    });
    for (std::size_t i = 0; i < count - given; ++i) ++sizes[order[i]];
    return sizes;
}

/// The nearest multiple of 2^exponent, ties to even.
inline double to_multiple(double x, int exponent)
{
    return std::ldexp(std::nearbyint(std::ldexp(x, -exponent)), exponent);
}

/// Rounds to a binary format with `digits` significant bits and least exponent `least`.
inline float to_format(float x, int digits, int least)
{
    if (x == 0) return x;
    const int exponent = std::max(std::ilogb(x) - digits + 1, least);
    return static_cast<float>(to_multiple(x, exponent));
}

struct no_codec {
    static void round_trip(float*, std::size_t) {}
};

struct half {
    static void round_trip(float* x, std::size_t n)
    {
        for (std::size_t i = 0; i < n; ++i)
            x[i] = std::clamp(to_format(x[i], 11, -24), -65504.f, 65504.f);
    }
};

struct brain {
    static void round_trip(float* x, std::size_t n)
    {
        for (std::size_t i = 0; i < n; ++i) x[i] = to_format(x[i], 8, -133);
    }
};

/// Blocks: the largest magnitude over the largest code, rounded up to 8 significant bits, is the
/// step.
template <std::size_t Block, int Code>
struct blocks_of_codes {
    static void round_trip(float* x, std::size_t n)
    {
        for (std::size_t begin = 0; begin < n; begin += Block) {
            const auto end = std::min(begin + Block, n);
            float largest = 0;
            for (auto i = begin; i < end; ++i) largest = std::max(largest, std::fabs(x[i]));
            if (largest < 0x1p-100f) {
                std::fill(x + begin, x + end, 0.f);
                continue;
            }
            auto bits = std::bit_cast<std::uint32_t>(largest / static_cast<float>(Code));
            bits = (bits + 0xffff) / 0x10000 * 0x10000;
            const auto step = std::bit_cast<float>(bits);
            const float per_step = 1.f / step;
            for (auto i = begin; i < end; ++i) {
                const float scaled = x[i] * per_step;
                const int code = static_cast<int>(std::nearbyint(static_cast<double>(scaled)));
                x[i] = static_cast<float>(code) * step;
            }
        }
    }
};

using blocks_of_int8 = blocks_of_codes<128, 127>;

/// The mean over all peers, or the sum, part by part: every contribution passes the codec, is added
/// in rank order, and the result passes the codec again. In several stages, first `radix[0]`
/// neighbours' contributions become one, then `radix[1]` of these, and so on. Peers whose weight is
/// 0 contribute nothing; one has to contribute.
template <class Codec>
values all_reduce(std::vector<values> in, const std::vector<int>& shares, bool mean,
                  std::vector<int> radix = {}, std::vector<double> weights = {})
{
    if (radix.empty()) radix = {static_cast<int>(in.size())};
    weights.resize(in.size(), weights.empty() ? 1.0 : 0.0);
    const auto parts = part_sizes(in[0].size(), shares);
    const auto pass_codec = [&](values& contribution) {
        std::size_t begin = 0;
        for (const auto size : parts) {
            Codec::round_trip(contribution.data() + begin, size);
            begin += size;
        }
    };
    for (const int r : radix) {
        std::vector<values> fewer;
        std::vector<double> sums;
        for (std::size_t first = 0; first < in.size(); first += static_cast<std::size_t>(r)) {
            auto& out = fewer.emplace_back(in[0].size());
            double weight = 0;
            int contributions = 0;
            for (std::size_t v = first; v < first + static_cast<std::size_t>(r); ++v) {
                if (weights[v] == 0) continue;
                weight += weights[v];
                pass_codec(in[v]);
                for (std::size_t i = 0; i < out.size(); ++i)
                    out[i] = contributions == 0 ? in[v][i] : out[i] + in[v][i];
                ++contributions;
            }
            if (mean && contributions > 0)
                for (auto& x : out) x /= static_cast<float>(contributions);
            sums.push_back(weight);
        }
        in = fewer;
        weights = sums;
    }
    pass_codec(in[0]);
    return in[0];
}

}  // namespace reference
