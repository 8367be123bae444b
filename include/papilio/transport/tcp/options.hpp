#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/mesh_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE::tcp {

/// Which links check the content of their messages.
enum class content_crc {
    never,
    between_hosts,  ///< not where both ends are on one host, whose memory is all it passes through
    always,
};

/// Options of links. Peers of a group must agree on `group` and `connections`.
struct options {
    std::uint64_t group = 0;  ///< connections of another group are refused
    int connections = 1;      ///< per pair of peers; messages are spread over them by tag
    bool adaptive = false;    ///< start with one of them, and use more while that gains a tenth
    int max_peers = 0;        ///< ranks below it may connect; 0: only the peers named at the start
    std::size_t max_message = std::size_t{64} << 20;  ///< in bytes; a larger one ends the link

    /// What is kept of messages that no receive waits for yet, in bytes: of each peer, at least
    /// 64 KiB, and of all together, at least so much for each. The rest waits at its senders.
    std::size_t early_limit = std::size_t{64} << 20;
    std::size_t early_total = std::size_t{1} << 30;

    /// Where a CRC-32C follows the content of every message, so that one which was changed on its
    /// way ends the link (`errc::corrupted`). Without it, if either side does not want it, only the
    /// checksums of TCP and of the network protect the data: those miss some damage.
    content_crc crc = content_crc::between_hosts;

    /// TCP's congestion control: "cubic", "bbr", ...; null: the system's choice, except that links
    /// without latency use reno instead of bbr. Must stay valid while the transport exists.
    const char* congestion = nullptr;

    /// Bytes per second that all links together may send, and receive; zero: no limit.
    std::uint64_t max_upload = 0;
    std::uint64_t max_download = 0;

    /// How often a heartbeat is sent on a quiet connection. Positive.
    duration heartbeat = std::chrono::seconds(1);

    /// A link on which no byte has arrived for so long ends; zero: never while the other host is
    /// alive. Otherwise longer than the heartbeat. Heartbeats need a running loop: leave it at zero
    /// where a peer's loop stands still between calls.
    duration idle_timeout = {};

    /// A link ends when the other host's kernel has not acknowledged sent data for so long: the
    /// host or the network has failed.
    duration unacked_timeout = std::chrono::seconds(30);

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
            .adaptive = o.adaptive,
            .heartbeat = o.heartbeat,
            .idle_timeout = o.idle_timeout,
            .unacked_timeout = o.unacked_timeout,
            .handshake_timeout = o.handshake_timeout};
}

}  // namespace papilio::tcp
