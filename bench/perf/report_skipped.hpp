#pragma once

#include <string>

namespace papilio::perf {

/// Says loudly that something asked for is left out, and why.
void report_skipped(const std::string& what);

}  // namespace papilio::perf
