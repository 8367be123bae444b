#pragma once

#include "perf/backend.hpp"
#include "perf/channel.hpp"

namespace papilio::perf {

/// The life of one peer of a worker group: does what the coordinator says through `line`, until
/// that ends. `p` lacks nothing but the exchange. A failure is told to the coordinator, and returns
/// false.
bool serve(channel& line, place p, const join_function& join);

}  // namespace papilio::perf
