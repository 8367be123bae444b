#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/mesh.hpp>
#include <papilio/transport/shm/address.hpp>

#include <cstdint>
#include <type_traits>
#include <vector>

namespace papilio::shm {

/// How a peer's links behave. Peers of a group must agree on `group` and `ring_bytes`.
struct options {
    std::uint64_t group = 0;  ///< connections of another group are refused
    int max_peers = 0;        ///< ranks beyond are turned away; 0: those named at the start are all
    std::size_t max_message = std::size_t{64} << 20;  ///< a larger one ends the link
    std::size_t early_limit = std::size_t{64} << 20;  ///< kept per peer before it is asked for

    /// What lies between two peers in one direction: a power of two. Two such rings per pair should
    /// stay in the processor's cache.
    std::size_t ring_bytes = std::size_t{256} << 10;

    /// A sign of life goes out this often on a link that is otherwise quiet. Not zero.
    duration heartbeat = std::chrono::seconds(1);

    /// A link ends after so long without a byte; zero: never, while the other process lives.
    duration idle_timeout = {};

    duration handshake_timeout = std::chrono::seconds(5);  ///< of a connection not yet known
};
static_assert(std::is_trivially_destructible_v<options>);

/// What a mesh needs to know of them.
inline mesh_options for_mesh(const options& o) noexcept
{
    return {.group = o.group,
            .max_peers = o.max_peers,
            .max_message = o.max_message,
            .early_limit = o.early_limit,
            .heartbeat = o.heartbeat,
            .idle_timeout = o.idle_timeout,
            .handshake_timeout = o.handshake_timeout};
}

/// One peer of a mesh in shared memory, of processes of one user on one Linux host; see `mesh` for
/// its members. Peer `i` is found at `peers[i]`. Nothing is left behind by a process that is
/// killed, and its peers notice at once; a peer that misuses the memory loses its link and can harm
/// nothing but what it says itself.
class transport : public addressed_mesh<address> {
public:
    /// Throws `errc::bad_argument` for options that it names, and the system's error when it cannot
    /// listen.
    transport(asio_loop& on, int rank, std::vector<address> peers, options o = {});
};

}  // namespace papilio::shm

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/shm.hpp>
#endif
