#pragma once

#include <string>

namespace papilio::perf {

/// Runs a command in the shell and returns true if it succeeded. The command runs in a process
/// group of its own. The group ends with this process, or on an interrupt, which throws.
bool shell(const std::string& command);

/// Runs a command in the shell. Throws with the command if it fails.
void must(const std::string& command);

}  // namespace papilio::perf
