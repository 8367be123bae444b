#pragma once

#include "mean_bytes.hpp"
#include "state.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace papilio::example {

/// Takes the steps of the outer optimiser that the run has taken with these means, which are
/// written by `write_mean`. Throws as `read_mean` does.
inline shared_state replayed(shared_state from, const std::vector<std::vector<std::byte>>& means,
                             outer_options o)
{
    for (const auto& mean : means) {
        auto next = next_state(*from);
        read_mean(mean, next->spans[0]);
        advance(*from, *next, o);
        from = std::move(next);
    }
    return from;
}

}  // namespace papilio::example
