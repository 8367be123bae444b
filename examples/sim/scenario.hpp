#pragma once

#include <papilio/async/event.hpp>
#include <papilio/plan/partition.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/sim/faults.hpp>
#include <papilio/sim/world.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace papilio::example::simulator {

constexpr std::size_t at(int rank)
{
    return static_cast<std::size_t>(rank);
}

enum class collective : std::uint8_t { all_reduce, all_gather, reduce_scatter, broadcast, barrier };

/// How elements travel.
enum class coding : std::uint8_t { identity, int8b, f16b };

/// One call, its network, and what befalls both. Pure data.
struct scenario {
    std::uint64_t seed = 1;  ///< of the network's chance, and of the data
    int peers = 3;

    // The call.
    collective call = collective::all_reduce;
    int root = 0;  ///< of a broadcast
    std::size_t elements = 1000;
    coding codec = coding::identity;
    bool integers = false;  ///< a sum of 32-bit integers, in place of floats
    bool weighted = false;  ///< a weighted mean, in place of a sum
    bool in_place = false;
    bool salvage = false;
    bool uniform = false;  ///< with `salvage`
    bool auxiliaries_receive = false;
    std::vector<role> roles;      ///< by rank; empty: all are full
    std::vector<double> weights;  ///< by rank; of a broadcast, 0 but for the root
    std::vector<int> radix;       ///< empty: one stage
    std::size_t chunk_bytes = 0;
    std::size_t in_flight = 0;
    duration timeout = std::chrono::seconds(4);
    std::vector<duration> begins;  ///< by rank: when it calls

    // The network.
    duration latency{};
    duration jitter{};
    duration heartbeat{};
    std::size_t early_limit = std::size_t{64} << 20;
    std::vector<sim::access> each;  ///< by rank

    sim::schedule faults;

    role role_of(int rank) const { return roles.empty() ? role::full : roles[at(rank)]; }
    double weight_of(int rank) const { return contributes(role_of(rank)) ? weights[at(rank)] : 0; }
};

/// What follows from a seed, the same on every machine.
scenario draw_scenario(std::uint64_t seed);

/// Whether votes of the first view tell what is in all results: elements that travel as they lie
/// are not summed on links with next to no latency, nor is what only an auxiliary and others hold.
bool compares_results(const scenario& s);

/// What `rank` contributes, element by element. Sums of floats that travel unchanged are exact.
std::vector<double> input_of(const scenario& s, int rank);

/// What `rank` owns of an all_gather or a reduce_scatter.
part part_of(const scenario& s, int rank);

/// In two lines, without the faults.
std::string to_string(const scenario& s);

}  // namespace papilio::example::simulator
