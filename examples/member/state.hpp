#pragma once

#include <papilio/diloco/outer_optimizer.hpp>
#include <papilio/swarm/state_transfer.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

// What all members of a run share after each round: the weights (span 0) and the outer optimiser's
// momentum (span 1), as a `state_snapshot`. It never changes; a round makes another.

/// The state that a run begins with: these weights, no momentum.
shared_state first_state(std::span<const float> weights);

inline const std::vector<float>& weights(const state_snapshot& s)
{
    return s.spans[0];
}
inline const std::vector<float>& momentum(const state_snapshot& s)
{
    return s.spans[1];
}

/// The lengths of its spans, for whoever fetches it.
std::vector<std::size_t> state_sizes(std::size_t parameters);

/// Room for the state after `from`; the averaged pseudo-gradient goes into its span 0.
std::shared_ptr<state_snapshot> room_after(const state_snapshot& from);

/// Turns the averaged pseudo-gradient in `next` into the weights and the momentum after `from`.
void advance(const state_snapshot& from, state_snapshot& next, outer_options o);

/// SHA-256 over round, weights and momentum: equal on two members when every bit is.
std::string digest(const state_snapshot& s);

}  // namespace papilio::example
