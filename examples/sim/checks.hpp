#pragma once

#include "run.hpp"

#include <string>
#include <vector>

namespace papilio::example::simulator {

/// What a run has shown that no run may show, in sentences; nothing if all was well. Pure.
std::vector<std::string> violations(const run_record& r);

}  // namespace papilio::example::simulator
