#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace papilio::example::simulator {

/// The options of papilio-sim.
struct options {
    std::uint64_t seed = 1;
    std::uint64_t seeds = 0;  ///< how many runs; 0: one, whose timeline is printed
    std::uint64_t first_seed = 1;
    std::optional<std::string> schedule;  ///< in place of the one that is drawn
    std::string diagram;                  ///< the file for a picture of it; empty: none
};

/// Reads the command line. Throws `CLI::Error` for invalid options, and `CLI::Success` after
/// printing the help.
options parse_options(int argc, const char* const* argv);

}  // namespace papilio::example::simulator
