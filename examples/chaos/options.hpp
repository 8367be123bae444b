#pragma once

#include "faults.hpp"
#include "process_options.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace papilio::example::chaos {

struct chaos_options {
    double minutes = 20;
    int peers = 6;
    std::uint64_t seed = 1;
    double every = 5;  ///< seconds between faults, on average
    std::size_t elements = std::size_t{64} << 10;
    std::vector<fault> only;  ///< the kinds that happen; empty: all
    host_kind host = host_kind::validator;
    bool schedule = false;         ///< print it, and do nothing
    std::filesystem::path folder;  ///< for the files of the run; empty: one that goes with it
    std::string log = "off";       ///< the least level of the library's events in these files
};

/// Reads the command line. Throws `CLI::Error` for invalid options, and `CLI::Success` after
/// printing the help.
chaos_options parse_chaos_options(int argc, const char* const* argv);

/// The command line that repeats a run.
std::string to_repeat(const chaos_options& o);

}  // namespace papilio::example::chaos
