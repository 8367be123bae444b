#pragma once

#include <papilio/plan/link_table.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace papilio::bench {

/// What the command line asks for.
struct options {
    int peers = 4;
    std::vector<std::size_t> bytes = {std::size_t{64} << 20};
    bool in_place = false;
    bool memory = false;
    bool tiny = false;
    bool rivals = true;
    double at_least = 0;  ///< of the best rival's throughput, or the program fails

    int repeats = 5;
    int warm_up = 2;
    int iterations = 5;

    std::vector<access_rate> links;  ///< Mbit/s, by rank; empty: loopback
    std::string congestion;          ///< empty: what the system is set to
    std::string codec = "identity";
    int connections = 1;
    int threads = 0;
    std::size_t chunk_bytes = 0;
    std::size_t in_flight = 0;
};

/// Reads the command line, or ends the program with a word about it.
options read_options(int argc, char** argv);

}  // namespace papilio::bench
