#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/mesh.hpp>
#include <papilio/transport/shm.hpp>
#include <papilio/transport/tcp.hpp>

#include <cstddef>
#include <type_traits>
#include <vector>

namespace papilio::hybrid {

/// Where a peer is found: over TCP by anybody, in shared memory by others of its host. Either may
/// be empty.
struct address {
    papilio::tcp::endpoint tcp;
    shm::address local;

    friend bool operator==(const address&, const address&) = default;
};

/// How a peer's links behave. Peers of a group must agree on `tcp.group`, `tcp.connections` and
/// `ring_bytes`.
struct options {
    papilio::tcp::options tcp = {};  ///< of links over TCP, and what all links have in common
    std::size_t ring_bytes = shm::options{}.ring_bytes;  ///< of links in shared memory
};
static_assert(std::is_trivially_destructible_v<options>);

/// One peer of a mesh in which every pair has the best link there is: shared memory on one host,
/// TCP between hosts; see `mesh` for its members, and `kind` for what was chosen. Peer `i` is found
/// at `peers[i]`. Of its own address, an empty `local.host` is this host; another name makes a host
/// of its own of those who use it.
class transport : public addressed_mesh<address> {
public:
    /// Throws `errc::bad_argument` for options that it names, and the system's error when it cannot
    /// listen.
    transport(asio_loop& on, int rank, std::vector<address> peers, options o = {});
};

}  // namespace papilio::hybrid

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/hybrid.hpp>
#endif
