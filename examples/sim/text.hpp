#pragma once

#include "run.hpp"

#include <string>

namespace papilio::example::simulator {

/// The scenario of a run and all that happened, line by line.
std::string to_text(const run_record& r);

/// The command line that runs it again.
std::string to_repeat(const scenario& s);

}  // namespace papilio::example::simulator
