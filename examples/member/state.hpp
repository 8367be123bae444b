#pragma once

#include <papilio/diloco/outer_optimizer.hpp>
#include <papilio/swarm/state_transfer.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

// The state that all members of a run share after each round, as a `state_snapshot`: the weights
// (span 0) and the outer optimiser's momentum (span 1).

/// The state before the first round: these weights, and no momentum.
shared_state first_state(std::span<const float> weights);

inline const std::vector<float>& weights(const state_snapshot& s)
{
    return s.spans[0];
}
inline const std::vector<float>& momentum(const state_snapshot& s)
{
    return s.spans[1];
}

/// The lengths of its spans.
std::vector<std::size_t> state_sizes(std::size_t parameters);

/// The bytes of its spans together.
constexpr std::uint64_t bytes_of_state(std::uint64_t parameters)
{
    return 2 * sizeof(float) * parameters;
}

/// Allocates the state after `from`. The averaged pseudo-gradient goes into its span 0.
std::shared_ptr<state_snapshot> next_state(const state_snapshot& from);

/// Takes the outer step from `from`: replaces the pseudo-gradient in `next` by weights and
/// momentum.
void advance(const state_snapshot& from, state_snapshot& next, outer_options o);

/// SHA-256 over round, weights and momentum.
std::string digest(const state_snapshot& s);

}  // namespace papilio::example
