#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace papilio::perf {

/// Which of the processes that a cluster's launcher has started this is, and where the coordinator,
/// rank 0, is reached.
struct launcher_rank {
    int rank = 0;
    int peers = 1;
    std::string host;
    std::uint16_t port = 29'500;
    std::string launcher;  ///< its name
};

/// Reads what torchrun, Slurm or Open MPI leave in the environment; nothing where none of them
/// has started this. Throws where they did and something is missing.
std::optional<launcher_rank> find_launcher_rank();

/// "node[03-05,9]" begins with "node03".
std::string first_host(const std::string& list);

}  // namespace papilio::perf
