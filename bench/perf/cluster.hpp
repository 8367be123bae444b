#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace papilio::perf {

/// The rank of this process under a cluster's launcher, and the address of the coordinator, which
/// is rank 0.
struct launcher_rank {
    int rank = 0;
    int peers = 1;
    std::string host;
    std::uint16_t port = 29'500;
    std::string launcher;  ///< the launcher's name
};

/// Reads the environment variables of torchrun, Slurm and Open MPI. Returns nothing if no launcher
/// has started this process. Throws if a variable is missing or wrong.
std::optional<launcher_rank> find_launcher_rank();

/// The first host of a Slurm node list: "node03" for "node[03-05,9]".
std::string first_host(const std::string& list);

}  // namespace papilio::perf
