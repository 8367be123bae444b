#pragma once

// Meshes over TCP on loopback. Tests that use them include <papilio/transport/tcp.hpp> themselves,
// which is how the build knows that they need Asio.

#include <papilio/transport/tcp.hpp>

#include "support/mesh_cluster.hpp"

#include <vector>

namespace papilio::test {

inline std::vector<tcp::endpoint> any_ports(int count)
{
    return std::vector<tcp::endpoint>(static_cast<std::size_t>(count),
                                      tcp::endpoint{"127.0.0.1", 0});
}

struct tcp_kind {
    using transport = tcp::transport;
    using options = tcp::options;
    static constexpr const char* name = "tcp";
    static constexpr const char* threads_name = "tcp, threads";
    static std::vector<tcp::endpoint> addresses(int count) { return any_ports(count); }
};

using tcp_cluster = mesh_cluster<tcp_kind>;
using tcp_threads_cluster = mesh_threads_cluster<tcp_kind>;

}  // namespace papilio::test
