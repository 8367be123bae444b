#pragma once

#include "perf/options.hpp"
#include "perf/worker_group.hpp"

#include <papilio/plan/link_table.hpp>

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace papilio::perf {

/// The result of all runs out of place, or in place.
struct cell {
    double seconds = 0;  ///< the median over the runs of a run's mean time
    double p50 = 0;      ///< over all iterations of all runs, in seconds
    double p99 = 0;
    double processor_seconds = 0;  ///< of all peers, per call; median over the runs
    double wakes = 0;              ///< of a peer, per call; median over the runs
    double relative_error = 0;
    double wire_bytes = 0;  ///< of all peers, per call
    double peak_bytes = 0;
    std::uint64_t wrong = 0;
    std::uint64_t digest = 0;
    int lost = 0;
    bool checked = false;
    bool measures_wire = false;
};

/// The result of one system at one size.
struct row {
    std::string system;
    bool rival = false;
    bool lossy = false;    ///< the codec rounds, and the result is not exact
    std::size_t size = 0;  ///< bytes of one peer's data
    std::uint64_t count = 0;
    element_type type = element_type::f32;
    reduction op = reduction::sum;
    std::size_t group = 0;  ///< rows of the same group are comparable
    std::optional<cell> out_of_place;
    std::optional<cell> in_place;
    double first_seconds = 0;  ///< zero: not measured
    double idle_seconds = 0;
    double bound_seconds = 0;  ///< the shortest time that the links allow; zero: unknown
    double predicted_seconds = 0;
    double ratio = 0;  ///< the best rival's time over this time; zero: no rival

    /// The name in the table and the plot. It marks a lossy system.
    std::string label() const { return lossy ? system + " (lossy)" : system; }
    const cell& main() const { return out_of_place ? *out_of_place : *in_place; }
    double algbw(const cell& c) const { return static_cast<double>(size) / c.seconds; }
    /// True if a call took less time than the bound. The links then carried more than the rates of
    /// the bound, and eta is not valid.
    bool beats_bound(double seconds) const { return seconds > 0 && seconds < bound_seconds; }
    /// The bound over the time. Not a number if either is unknown, or if eta is not valid.
    double eta(double seconds) const
    {
        const bool valid = seconds > 0 && bound_seconds > 0 && !beats_bound(seconds);
        return valid ? bound_seconds / seconds : std::numeric_limits<double>::quiet_NaN();
    }
    /// The measured case, for messages: "16 KiB float sum".
    std::string case_text() const;
};

/// The facts about one run of the program.
struct environment {
    std::string command;
    std::string machine;  ///< for example "AMD EPYC, 2 cores, Linux 6.1"
    std::string compiler;
    std::string version;  ///< the version of papilio
    std::string network;  ///< a description
    std::string congestion;
    std::string date;  ///< the start, in UTC
    int peers = 0;
    collective what = collective::all_reduce;
    std::string transport;
    std::vector<access_rate> nominal;   ///< Mbit/s, by rank
    std::vector<access_rate> measured;  ///< payload bytes per second, by rank
    std::string measured_by;
    double rtt_ms = 0;
    double through_bytes_per_second = 0;  ///< by iperf3, from peer 0 to peer 1; zero: not measured
    double through_rtt_ms = 0;            ///< the minimum round trip of that measurement
    // Environment variables without secrets.
    std::vector<std::pair<std::string, std::string>> variables;
};

/// The bytes that a peer's link carries each way, over the size.
double bus_factor(const environment& env);

environment read_environment(const options& o, int argc, char** argv);

/// Prints what is measured where.
void print_setting(const environment& env, const options& o);

/// Print the table on standard output: the head, the rows of one group, the second table.
void print_head(const environment& env, const options& o);
void print_rows(const std::vector<row>& rows, const environment& env);
void print_more(const std::vector<row>& rows, const environment& env, const options& o);

// Write the files. Each function throws if it cannot write.
void write_csv(const std::string& path, const std::vector<row>& rows, const environment& env);
void write_json(const std::string& path, const std::vector<row>& rows, const environment& env,
                const options& o);
void write_gbench_json(const std::string& path, const std::vector<row>& rows,
                       const environment& env);
void write_plot(const std::string& path, const std::vector<row>& rows, const environment& env);

}  // namespace papilio::perf
