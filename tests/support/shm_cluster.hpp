#pragma once

// Meshes in shared memory, both ends of every link within this process: in mappings of their own,
// as between processes. Tests that use them include <papilio/transport/shm.hpp> themselves, which
// is how the build knows that they need Asio.

#include <papilio/transport/shm.hpp>

#include "support/mesh_cluster.hpp"

#include <vector>

namespace papilio::test {

struct shm_kind {
    using transport = shm::transport;
    using options = shm::options;
    static constexpr const char* name = "shm";
    static constexpr const char* threads_name = "shm, threads";
    static std::vector<shm::address> addresses(int count)
    {
        return std::vector<shm::address>(static_cast<std::size_t>(count));
    }
};

using shm_cluster = mesh_cluster<shm_kind>;
using shm_threads_cluster = mesh_threads_cluster<shm_kind>;

}  // namespace papilio::test
