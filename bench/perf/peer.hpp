#pragma once

#include "perf/backend.hpp"
#include "perf/channel.hpp"

#include <functional>

namespace papilio::perf {

/// Does `work()`; true if that ends. A failure is reported to the coordinator.
bool serve_with(channel& line, const std::function<void()>& work);

/// Runs one peer of a worker group: does the jobs that the coordinator sends through `line`, until
/// `line` closes. `p` is complete except for `exchange`. After a failure it reports the failure to
/// the coordinator and returns false.
bool serve(channel& line, place p, const join_function& join);

}  // namespace papilio::perf
