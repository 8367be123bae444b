#pragma once

#include "perf/conductor.hpp"
#include "perf/network/private_network.hpp"

namespace papilio::perf {

/// Everybody who takes part, papilio first. `links` is what they carry, where that is known; `net`
/// is where the peers live, or null. Rivals that cannot take part are left out, with a loud word.
std::vector<entrant> line_up(const options& o, const std::vector<access_rate>& links,
                             const private_network* net);

}  // namespace papilio::perf
