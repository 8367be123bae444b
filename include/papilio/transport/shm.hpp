#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/mesh.hpp>
#include <papilio/transport/shm/address.hpp>
#include <papilio/transport/shm/allocated_memory.hpp>

#include <cstdint>
#include <type_traits>
#include <vector>

namespace papilio::inline PAPILIO_MODE::shm {

/// Options of links. Peers of a group must agree on `group` and `ring_bytes`.
struct options {
    std::uint64_t group = 0;  ///< connections of another group are refused
    int max_peers = 0;        ///< ranks below it may connect; 0: only the peers named at the start
    std::size_t max_message = std::size_t{64} << 20;  ///< in bytes; a larger one ends the link

    /// What is kept of messages that no receive waits for yet, in bytes: of each peer, at least
    /// 64 KiB, and of all together, at least so much for each. The rest waits at its senders.
    std::size_t early_limit = std::size_t{64} << 20;
    std::size_t early_total = std::size_t{1} << 30;

    /// The size of a ring, the buffer between two peers in one direction: a power of two, 4 KiB to
    /// 1 GiB. The two rings of a pair should fit the processor's cache.
    std::size_t ring_bytes = std::size_t{256} << 10;

    /// How much memory `allocate` may give in all, in bytes, and what copies of messages take
    /// beside it. Peers map as much, so that it takes addresses; memory is taken only as it is
    /// used. 0: nothing is lent, and messages go through the rings.
    std::size_t allocate_limit = std::size_t{16} << 30;

    /// How often a heartbeat is sent on a quiet link. Positive.
    duration heartbeat = std::chrono::seconds(1);

    /// A link on which no byte has arrived for so long ends; zero: never while the other process
    /// lives. Otherwise longer than the heartbeat.
    duration idle_timeout = {};

    duration handshake_timeout = std::chrono::seconds(5);  ///< of a connection
};
static_assert(std::is_trivially_destructible_v<options>);

/// The options that all meshes have.
inline mesh_options for_mesh(const options& o) noexcept
{
    return {.group = o.group,
            .max_peers = o.max_peers,
            .max_message = o.max_message,
            .early_limit = o.early_limit,
            .early_total = o.early_total,
            .heartbeat = o.heartbeat,
            .idle_timeout = o.idle_timeout,
            .handshake_timeout = o.handshake_timeout};
}

/// One peer of a mesh over shared memory, for processes of one user on one Linux host; see `mesh`
/// for its members. Peer `i` listens at `peers[i]`. A process that is killed leaves nothing behind,
/// and its peers notice at once. A peer that misuses the memory loses its link; it can corrupt only
/// the messages that it sends itself.
class transport : public addressed_mesh<address> {
public:
    /// Throws `errc::bad_argument` for options that it names, and the system's error when it cannot
    /// listen.
    transport(asio_loop& on, int rank, std::vector<address> peers, options o = {});

    /// Memory for the buffers of calls, which peers read where it lies: a call then copies nothing
    /// to send it. Throws `std::bad_alloc` if that is more than `options::allocate_limit` leaves.
    allocated_memory allocate(std::size_t size);
};

}  // namespace papilio::shm

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/shm.hpp>
#endif
