#pragma once

#include "perf/backend.hpp"

#include <string>
#include <utility>
#include <vector>

namespace papilio::perf {

/// No library, but a bound for all-reduces in shared memory: all processes share one mapping, trust
/// each other, and meet at barriers. `one-mapping` takes ordinary memory: each process copies the
/// others' parts into the mapping, reduces its own in rank order, and copies the result out.
/// `one-mapping-allocated` has the caller's buffers lie in the mapping, so that contributions are
/// reduced where they lie, and each process copies only the parts of the others.
std::vector<std::pair<std::string, join_function>> one_mapping_systems();

}  // namespace papilio::perf
