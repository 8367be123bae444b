#pragma once

#include "perf/coordinator.hpp"
#include "perf/network/private_network.hpp"

namespace papilio::perf {

/// Everybody who takes part, papilio first. `links` is what is known of them; `net` is where the
/// peers live, or null. Rivals that cannot take part are left out, with a loud word.
std::vector<measured_system> make_systems(const options& o, const link_table& links,
                                          const private_network* net);

/// The life of the peers of this rank, where a cluster's launcher has started it, in a process for
/// each form of papilio. Returns whether all ended well.
bool serve_cluster(const options& o, const link_table& links);

}  // namespace papilio::perf
