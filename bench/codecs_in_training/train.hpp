#pragma once

#include "contenders.hpp"
#include "options.hpp"

#include <cstdint>

namespace papilio::example {

/// The result of one training.
struct outcome {
    double loss = 0;   ///< on held-out text
    double bytes = 0;  ///< sent by a worker in a round
};

/// Trains the workers together by the codec.
outcome train(const options& o, std::uint64_t seed, const contender& by);

}  // namespace papilio::example
