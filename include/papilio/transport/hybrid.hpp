#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/mesh.hpp>
#include <papilio/transport/shm.hpp>
#include <papilio/transport/tcp.hpp>

#include <cstddef>
#include <type_traits>
#include <vector>

namespace papilio::inline PAPILIO_MODE::hybrid {

/// Where a peer listens: for TCP, and for peers of its host that share memory with it. Either may
/// be empty.
struct address {
    papilio::tcp::endpoint tcp;
    shm::address local;

    friend bool operator==(const address&, const address&) = default;
};

/// Options of links. Peers of a group must agree on `tcp.group`, `tcp.connections` and
/// `ring_bytes`.
struct options {
    papilio::tcp::options tcp = {};  ///< for links over TCP; what they share with others, for all
    std::size_t ring_bytes = shm::options{}.ring_bytes;          ///< for links in shared memory
    std::size_t allocate_limit = shm::options{}.allocate_limit;  ///< the same
};
static_assert(std::is_trivially_destructible_v<options>);

/// One peer of a mesh in which every pair has the faster of two links: shared memory on one host,
/// TCP between hosts. See `mesh` for its members, and `kind` for the link that was chosen. Peer `i`
/// listens at `peers[i]`. In its own address, an empty `local.host` means this host; peers that
/// give another name form a host of that name.
class transport : public addressed_mesh<address> {
public:
    /// Throws `errc::bad_argument` for options that it names, and the system's error when it cannot
    /// listen.
    transport(asio_loop& on, int rank, std::vector<address> peers, options o = {});

    /// Memory for the buffers of calls, which peers of this host read where it lies; see
    /// `shm::transport`.
    shm::allocated_memory allocate(std::size_t size);
};

}  // namespace papilio::hybrid

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/hybrid.hpp>
#endif
