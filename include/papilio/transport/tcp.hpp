#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/mesh.hpp>
#include <papilio/transport/tcp/endpoint.hpp>
#include <papilio/transport/tcp/options.hpp>

#include <vector>

namespace papilio::inline PAPILIO_MODE::tcp {

/// One peer of a mesh of TCP connections; see `mesh` for its members. Peer `i` listens at
/// `peers[i]`; an empty host marks a peer that cannot be dialled, port 0 means that the system
/// chooses.
class transport : public addressed_mesh<endpoint> {
public:
    /// Throws `errc::bad_argument` for options that it names, and the system's error when it cannot
    /// listen.
    transport(asio_loop& on, int rank, std::vector<endpoint> peers, options o = {});
};

}  // namespace papilio::tcp

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/tcp.hpp>
#endif
