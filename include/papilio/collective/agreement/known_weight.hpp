#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>
#include <papilio/plan/butterfly.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The weight of a contribution; nothing while it is unknown, or if there is no contribution.
using known_weight = std::optional<double>;

inline double total_weight(std::span<const known_weight> weights)
{
    double total = 0;
    for (const auto& w : weights) total += w.value_or(0);
    return total;
}

/// What a contribution weighs where contributions are only counted.
inline known_weight counted(known_weight weight)
{
    if (weight) weight = *weight > 0 ? 1.0 : 0.0;
    return weight;
}

/// The sum of the weights of a block, added up in the order in which the stages before `stage` add
/// them, so that it has the same bits.
inline double block_total(std::vector<known_weight> block, const butterfly& stages, int stage)
{
    for (int k = 0; k < stage; ++k) {
        const auto r = static_cast<std::size_t>(stages.radix(k));
        for (std::size_t i = 0; i < block.size() / r; ++i)
            block[i] = total_weight(std::span(block).subspan(i * r, r));
        block.resize(block.size() / r);
    }
    return block.front().value_or(0);
}

inline std::uint64_t weights_digest(std::span<const known_weight> weights)
{
    std::uint64_t digest = 0;
    for (const auto& w : weights)
        digest = hash(digest, std::bit_cast<std::uint64_t>(w.value_or(0)));
    return digest;
}

}  // namespace papilio::detail
