#pragma once

#include "run.hpp"

#include <string>

namespace papilio::example::simulator {

/// What the scenario is, in three lines.
std::string heading(const scenario& s);

/// In one line, with its time.
std::string to_text(const happening& h);

/// The scenario of a run and all that happened, line by line.
std::string to_text(const run_record& r);

/// The command line that runs it again.
std::string to_repeat(const scenario& s);

}  // namespace papilio::example::simulator
