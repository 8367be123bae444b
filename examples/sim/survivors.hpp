#pragma once

#include "scenario.hpp"

#include <vector>

namespace papilio::example::simulator {

/// How long a message may be on its way at most, where no fault is: latency and jitter, behind all
/// that is sent in the call through the slowest access of both.
duration longest_way(const scenario& s);

/// Whether the timeout leaves time to go on without those that faults have taken: for each fault,
/// or each peer that one names, if these are more, 32 times the longest way. docs/design/views.md
/// says why.
bool has_time_to_go_on(const scenario& s);

/// The peers that have to succeed whatever befalls the others: those that no fault names, if these
/// are more than half of full peers, somebody of them contributes, and there is time. They are
/// connected, since a fault names all whom it touches, or one side. Nobody where nothing is
/// promised, as where a bit flips.
std::vector<int> survivors(const scenario& s);

}  // namespace papilio::example::simulator
