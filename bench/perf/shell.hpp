#pragma once

#include <string>

namespace papilio::perf {

/// Runs a line in the shell, in a group of its own that ends with this process or on an interrupt,
/// which throws. Returns whether it succeeded.
bool shell(const std::string& command);

/// The same; throws with the line when it fails.
void must(const std::string& command);

}  // namespace papilio::perf
