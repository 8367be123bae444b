#pragma once

// Data for collectives, what becomes of it, and how to compare it.

#include <papilio/base/random.hpp>
#include <papilio/collective/all_reduce.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace papilio::test {

using vectors = std::vector<std::vector<float>>;

inline std::size_t at(int rank)
{
    return static_cast<std::size_t>(rank);
}

/// Numbers of either sign over many magnitudes, different for every peer.
inline vectors noise(int peers, std::size_t count)
{
    vectors data;
    for (int rank = 0; rank < peers; ++rank) {
        random source(static_cast<std::uint64_t>(rank) + 1);
        auto& mine = data.emplace_back(count);
        for (auto& x : mine)
            x = static_cast<float>(source.normal() * std::ldexp(1.0, int(source.below(16)) - 8));
    }
    return data;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b)
{
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// What each peer of `cluster` is left with.
template <class Cluster, class Op, class Codec>
vectors reduced(Cluster& cluster, const vectors& in, Op op, Codec codec, call_options options)
{
    vectors out(in.size(), std::vector<float>(in[0].size(), -1.f));
    cluster.run([&](auto& net) -> task<> {
        const auto rank = at(net.rank());
        co_await all_reduce(net, in[rank], out[rank], op, codec, options);
    });
    return out;
}

}  // namespace papilio::test
