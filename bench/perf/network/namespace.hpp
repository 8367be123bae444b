#pragma once

#include <string>

namespace papilio::perf {

/// Moves this process to a network namespace that has a name. Throws where it may not.
void enter_namespace(const std::string& name);

}  // namespace papilio::perf
