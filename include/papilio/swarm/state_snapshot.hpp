#pragma once

#include <papilio/base/config.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// The state of a run after `round` rounds, such as the parameters and the outer optimiser's
/// momentum. It must not change once others may read it: the next round makes another.
struct state_snapshot {
    std::uint32_t round = 0;
    std::vector<std::vector<float>> spans;
};

using shared_state = std::shared_ptr<const state_snapshot>;

}  // namespace papilio
