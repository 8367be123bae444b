#pragma once

// Meshes of the best links there are. The peers of a cluster pretend to be on two hosts, in turns:
// 0, 2, 4, ... and 1, 3, 5, ... Tests that use them include <papilio/transport/hybrid.hpp>
// themselves, which is how the build knows that they need Asio.

#include <papilio/transport/hybrid.hpp>

#include "support/mesh_cluster.hpp"

#include <vector>

namespace papilio::test {

struct select_kind {
    using transport = hybrid::transport;
    using options = hybrid::options;
    static constexpr const char* name = "hybrid";
    static constexpr const char* threads_name = "hybrid, threads";
    static std::vector<hybrid::address> addresses(int count)
    {
        std::vector<hybrid::address> all;
        for (int rank = 0; rank < count; ++rank)
            all.push_back({{"127.0.0.1", 0}, {rank % 2 == 0 ? "even" : "odd", {}}});
        return all;
    }
};

using hybrid_cluster = mesh_cluster<select_kind>;
using select_threads_cluster = mesh_threads_cluster<select_kind>;

}  // namespace papilio::test
