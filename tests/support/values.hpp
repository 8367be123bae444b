#pragma once

// Data for collectives, and how to compare it.

#include <papilio/base/random.hpp>

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

}  // namespace papilio::test
