#pragma once

#include <string>

namespace papilio::perf {

/// Sets the congestion control of all later TCP sockets of this program and of the programs that it
/// starts. Ends the program if the system does not have or does not allow it.
void use_congestion(const std::string& name);

/// The congestion control of a new TCP socket.
std::string congestion_in_use();

}  // namespace papilio::perf
