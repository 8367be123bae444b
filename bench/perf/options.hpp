#pragma once

#include "perf/cluster.hpp"
#include "perf/job.hpp"
#include "perf/requirement.hpp"

#include <papilio/plan/link_table.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace papilio::perf {

enum class network { loopback, namespaces, simulated, cluster };

/// What the command line asks for.
struct options {
    // What is called.
    collective what = collective::all_reduce;
    std::vector<std::size_t> sizes;  ///< bytes, each a multiple of every type's size
    std::vector<element_type> types = {element_type::f32};
    std::vector<reduction> ops = {reduction::sum};
    bool out_of_place = true;
    bool in_place = true;

    // How often.
    int runs = 5;
    int iterations = 5;
    int warm_up = 1;
    bool check = true;
    bool first = false;
    double idle_seconds = 0;  ///< zero: that is not measured

    // Where.
    network where = network::loopback;
    std::string transport = "tcp";
    std::optional<launcher_rank> launched_as;  ///< on a cluster
    int peers = 4;
    std::vector<access_rate> mbit;  ///< by rank; empty: nobody knows
    double rtt_ms = 0;

    // How.
    std::vector<std::string> codecs = {"identity"};
    std::vector<std::vector<int>> radices = {{}};  ///< an empty one is papilio's own choice
    std::vector<std::string> rivals;
    std::string congestion;  ///< empty: what the system is set to
    bool even_parts = false;
    int streams = 1;
    bool adaptive = false;  ///< not all streams, but those that gain something
    int threads = 0;
    std::size_t chunk_bytes = 0;
    std::size_t in_flight = 0;
    double timeout_seconds = 60;

    // What comes of it.
    std::string csv, json, gbench_json, plot;
    std::vector<requirement> required;
};

/// Reads the command line, or ends the program with a word about it.
options read_options(int argc, char** argv);

/// The text of --help.
extern const char* const help;

}  // namespace papilio::perf
