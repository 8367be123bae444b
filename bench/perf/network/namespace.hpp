#pragma once

#include <string>

namespace papilio::perf {

/// Moves this process to a named network namespace. Throws without the rights for this.
void enter_namespace(const std::string& name);

}  // namespace papilio::perf
