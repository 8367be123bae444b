#pragma once

#include "perf/coordinator.hpp"
#include "perf/network/private_network.hpp"
#include "perf/options.hpp"

namespace papilio::perf {

/// Adds the worker groups of one MPI, "openmpi" or "mpich": over TCP, and where the peers are on
/// one host, over its shared memory. What cannot be started is skipped loudly.
void add_mpi(const std::string& name, const options& o, const private_network* net,
             std::vector<measured_system>& all);

}  // namespace papilio::perf
