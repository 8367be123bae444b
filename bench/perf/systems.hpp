#pragma once

#include "perf/coordinator.hpp"
#include "perf/network/private_network.hpp"

namespace papilio::perf {

/// Makes all systems under test, papilio first. `links` holds the known rates. `net` is the network
/// of the peers, or null. A rival that cannot run is reported and left out.
std::vector<measured_system> make_systems(const options& o, const link_table& links,
                                          const private_network* net);

/// Runs the peers of this rank under a cluster's launcher, one process for each form of papilio.
/// Returns true if all peers ended well.
bool serve_cluster(const options& o, const link_table& links);

}  // namespace papilio::perf
