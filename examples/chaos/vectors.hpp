#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace papilio::example::chaos {

/// What a member contributes to a round: numbers in [-1, 1) that depend on nothing else.
std::vector<float> contribution(std::uint64_t seed, int member, std::uint32_t round,
                                std::size_t elements);

/// A range of a mean, and the members whose contributions it is said to be of.
struct contributed_range {
    std::size_t begin = 0;
    std::size_t size = 0;
    std::vector<int> members;
    friend bool operator==(const contributed_range&, const contributed_range&) = default;
};

/// How many numbers of `mean` are wrong: further from the mean of the contributions in float64 than
/// the roundings of a sum of floats explain. All are, unless the ranges follow each other and cover
/// `mean`, each with contributors.
std::size_t count_wrong(std::uint64_t seed, std::uint32_t round,
                        std::span<const contributed_range> made_of, std::span<const float> mean);

}  // namespace papilio::example::chaos
