#pragma once

#include "child_report.hpp"

namespace papilio::example::chaos {

/// Writes a report to the process that has started this one. Throws a `problem` when that is gone.
/// Any thread may call it.
void tell_parent(const child_report& r);

}  // namespace papilio::example::chaos
