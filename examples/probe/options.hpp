#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace papilio::example {

/// What papilio-probe is told.
struct probe_options {
    std::string listen;      ///< host:port at which others join; empty: this one joins
    std::string rendezvous;  ///< host:port to join at
    std::string mesh = "0.0.0.0:0";
    std::string group = "probe";
    std::string congestion;
    int peers = 2;  ///< of the group, this one included
    int count = 100;
    double mib = 8;
    double seconds = 0;  ///< each way; 0: a burst of so many MiB
    double patience = 60;
    bool json = false;
};

/// Reads the command line. Throws `CLI::Error` for what makes no sense, and `CLI::Success` when
/// only help was asked for, which it has printed.
probe_options parse_probe_options(int argc, const char* const* argv);

}  // namespace papilio::example
