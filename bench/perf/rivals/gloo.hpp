#pragma once

#include "perf/backend.hpp"

#include <string>
#include <utility>
#include <vector>

namespace papilio::perf {

/// gloo's algorithms for an all-reduce. Each is a separate system.
std::vector<std::pair<std::string, join_function>> gloo_systems();

}  // namespace papilio::perf
