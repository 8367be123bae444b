#pragma once

#include <string>

namespace papilio::perf {

/// From now on all TCP sockets of this program, and of those that it starts, have this congestion
/// control. Ends the program where the system does not have it, or not allow it.
void use_congestion(const std::string& name);

/// What a new TCP socket has, as the system tells.
std::string congestion_in_use();

}  // namespace papilio::perf
