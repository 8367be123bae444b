#pragma once

#include "perf/backend.hpp"
#include "perf/channel.hpp"
#include "perf/losses/scenario.hpp"
#include "perf/options.hpp"

namespace papilio::perf {

// What the coordinator tells a peer to do: a call among all, or among those that will be left.
inline constexpr char all_peers[] = "all";
inline constexpr char peers_left[] = "left";

/// Runs one peer of a group that is to lose some: makes the calls that the coordinator asks for
/// through `line`, until that closes. Of `p`, `exchange` is left out. After a failure it reports
/// the failure to the coordinator and returns false.
bool serve_losses(channel& line, place p, const options& o, const scenario& s);

}  // namespace papilio::perf
