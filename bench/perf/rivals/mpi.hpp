#pragma once

#include "perf/coordinator.hpp"
#include "perf/network/private_network.hpp"
#include "perf/options.hpp"

namespace papilio::perf {

/// Adds the worker groups of one MPI, "openmpi" or "mpich": one over TCP, and without namespaces
/// one over shared memory. A group that does not start is reported and left out.
void add_mpi(const std::string& name, const options& o, const private_network* net,
             std::vector<measured_system>& all);

}  // namespace papilio::perf
