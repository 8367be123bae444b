#pragma once

#include <string>

namespace papilio::perf {

/// Reports on standard output and standard error that a requested part is left out, with the
/// reason.
void report_skipped(const std::string& what);

}  // namespace papilio::perf
