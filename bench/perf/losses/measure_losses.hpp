#pragma once

#include "perf/network/private_network.hpp"
#include "perf/options.hpp"
#include "perf/report.hpp"

namespace papilio::perf {

/// Measures calls that lose peers, one row for each scenario and run. Returns whether all that were
/// left had the same right result, and all requirements are met.
bool measure_losses(const options& o, const environment& env, const private_network* net);

}  // namespace papilio::perf
