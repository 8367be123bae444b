#pragma once

#include "perf/job.hpp"
#include "perf/losses/scenario.hpp"
#include "perf/requirement.hpp"

#include <papilio/collective/options.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/session/impl/launcher.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace papilio::perf {

enum class network { loopback, namespaces, simulated, cluster };

/// The values of the command line.
struct options {
    // The calls.
    collective what = collective::all_reduce;
    std::vector<std::size_t> sizes;  ///< bytes; each is a multiple of every element size
    std::vector<element_type> types = {element_type::f32};
    std::vector<reduction> ops = {reduction::sum};
    bool out_of_place = true;
    bool in_place = true;

    // The repetitions.
    int runs = 5;
    int iterations = 5;
    int warm_up = 1;
    bool check = true;
    bool first = false;
    double idle_seconds = 0;  ///< zero: not measured

    // The place and the links.
    network where = network::loopback;
    std::string transport = "tcp";
    std::optional<papilio::detail::launched> launched_as;  ///< set on a cluster
    int peers = 4;
    std::vector<access_rate> mbit;  ///< by rank; empty: unknown
    double rtt_ms = 0;

    // The settings of papilio and the rivals.
    std::vector<std::string> codecs = {"identity"};
    std::vector<on_error> on_errors = {on_error::restored};
    std::vector<bool> communicators = {false};  ///< whether calls are those of a communicator
    std::vector<bool> allocates = {false};  ///< whether the transport gives the memory of buffers
    std::vector<std::vector<int>> radices = {{}};  ///< an empty vector: papilio chooses
    std::vector<std::string> rivals;
    std::string congestion;  ///< empty: the setting of the system
    bool even_parts = false;
    int streams = 1;
    bool adaptive = false;  ///< start with one stream and add streams while they gain speed
    std::string crc = "between-hosts";  ///< which links check contents
    int threads = 0;
    std::size_t chunk_bytes = 0;
    std::size_t in_flight = 0;
    double timeout_seconds = 60;

    // The losses.
    std::vector<scenario> losses;  ///< not empty: calls that lose peers are measured, nothing else
    bool uniform = false;

    // The outputs.
    std::string csv, json, gbench_json, plot;
    std::vector<requirement> required;
};

/// Reads the command line. Ends the program with a message if it is wrong.
options read_options(int argc, char** argv);

/// The text of --help.
extern const char* const help;

}  // namespace papilio::perf
