#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/transport/mesh_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace papilio::tcp {

/// How a peer's connections behave. Peers of a group must agree on `group` and `connections`.
struct options {
    std::uint64_t group = 0;  ///< connections of another group are turned away
    int connections = 1;      ///< per pair of peers; messages are spread over them by tag
    bool adaptive = false;    ///< begin with one of them, and use more while that gains a tenth
    int max_peers = 0;        ///< ranks beyond are turned away; 0: those named at the start are all
    std::size_t max_message = std::size_t{64} << 20;  ///< a larger one ends the link
    std::size_t early_limit = std::size_t{64} << 20;  ///< kept per peer before it is asked for

    /// TCP's congestion control: "cubic", "bbr", ...; null: the system's, but for bbr on links
    /// without latency, which get reno. Borrowed for as long as the transport lives.
    const char* congestion = nullptr;

    /// Bytes per second that all links together may send, and take in; zero: as they can.
    std::uint64_t max_upload = 0;
    std::uint64_t max_download = 0;

    /// A sign of life goes out this often on a connection that is otherwise quiet. Not zero.
    duration heartbeat = std::chrono::seconds(1);

    /// A link ends after so long without a byte; zero: never, while the other host lives. Signs of
    /// life need a running loop: leave it at zero where a peer's loop stands still between calls.
    /// Else longer than the heartbeat.
    duration idle_timeout = {};

    /// A link ends when the other host, whatever its program does, has not acknowledged what was
    /// sent for so long: it is gone, or the way to it.
    duration unacked_timeout = std::chrono::seconds(30);

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
            .adaptive = o.adaptive,
            .heartbeat = o.heartbeat,
            .idle_timeout = o.idle_timeout,
            .unacked_timeout = o.unacked_timeout,
            .handshake_timeout = o.handshake_timeout};
}

}  // namespace papilio::tcp
