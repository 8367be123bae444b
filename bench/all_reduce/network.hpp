#pragma once

#include <string>

namespace papilio::bench {

/// Moves this process, and those it starts, to a network namespace of its own, which has a loopback
/// device and this congestion control. Throws with advice when it may not.
void enter_network_with(const std::string& congestion);

/// What connections use unless they ask for something else.
std::string default_congestion();

/// "AMD EPYC, 2 cores, Linux 6.1".
std::string machine();

}  // namespace papilio::bench
