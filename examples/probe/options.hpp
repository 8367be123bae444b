#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace papilio::example {

/// The options of papilio-probe.
struct probe_options {
    std::string listen;      ///< host:port at which others join; empty: this one joins
    std::string rendezvous;  ///< host:port to join at
    std::string mesh = "[::]:0";
    std::string group = "probe";
    std::string congestion;
    int peers = 2;  ///< in the group, including this one
    int count = 100;
    double mib = 8;
    double seconds = 0;  ///< each way; 0: a burst of `mib` MiB
    double patience = 60;
    bool json = false;
    std::string log = "off";  ///< the least level of the library's events that are printed
};

/// Reads the command line. Throws `CLI::Error` for invalid options, and `CLI::Success` after
/// printing the help.
probe_options parse_probe_options(int argc, const char* const* argv);

}  // namespace papilio::example
