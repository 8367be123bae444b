#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/flow.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

/// How every mesh behaves, whatever its streams run over. Peers agree on `group` and `heartbeat`.
struct mesh_options {
    std::uint64_t group = 0;  ///< connections of another group are refused
    int max_peers = 0;        ///< ranks below it may connect; 0: only the peers named at the start
    std::size_t max_message = std::size_t{64} << 20;  ///< in bytes; a larger one ends the link
    std::size_t early_limit = std::size_t{64} << 20;  ///< bytes kept per peer before a receive
    std::size_t early_total = std::size_t{1} << 30;   ///< bytes kept for all of them together
    bool adaptive = false;                         ///< use more streams only while that is faster
    duration heartbeat = std::chrono::seconds(1);  ///< sent this often on a quiet stream
    duration idle_timeout = {};                    ///< a link ends without bytes; zero: never
    duration unacked_timeout = std::chrono::seconds(30);   ///< a link ends without acknowledgement
    duration handshake_timeout = std::chrono::seconds(5);  ///< of a connection
};
static_assert(std::is_trivially_destructible_v<mesh_options>);

namespace detail {

inline std::string in_ms(duration d)
{
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

/// How many links there may come to be.
inline std::size_t links(const mesh_options& o, int peers)
{
    return static_cast<std::size_t>(std::max({o.max_peers, peers, 1}) - 1);
}

/// What is left of `early_total` for all links to share when each has what it begins with.
inline std::size_t shared_early_limit(const mesh_options& o, int peers)
{
    return o.early_total - std::min(o.early_total, links(o, peers) * wire::first_window);
}

/// Throws `errc::bad_argument` unless `o` suits a mesh of `peers` known addresses, in which this
/// peer is `rank`.
inline void check_mesh_options(const mesh_options& o, int rank, int peers)
{
    const auto require = [](bool valid, const std::string& sentence) {
        if (!valid) throw std::system_error(errc::bad_argument, sentence);
    };
    require(rank >= 0 && rank < peers,
            "the rank of a transport must be 0 to " + std::to_string(peers - 1) + " for " +
                std::to_string(peers) + " addresses, not " + std::to_string(rank));
    require(o.max_peers == 0 || o.max_peers >= peers,
            "max_peers must be 0 or at least the number of addresses, " + std::to_string(peers) +
                ", not " + std::to_string(o.max_peers));
    require(o.heartbeat > duration{}, "heartbeat must be positive, not " + in_ms(o.heartbeat));
    require(o.idle_timeout <= duration{} || o.idle_timeout > o.heartbeat,
            "idle_timeout must be zero or longer than heartbeat, " + in_ms(o.heartbeat) + ", not " +
                in_ms(o.idle_timeout));
    require(o.early_limit >= wire::first_window,
            "early_limit must be at least 65536 bytes, not " + std::to_string(o.early_limit));
    require(o.early_total / wire::first_window > links(o, peers),
            "early_total must be at least 65536 bytes for each of " +
                std::to_string(links(o, peers)) + " other peers and one more, not " +
                std::to_string(o.early_total));
    require(o.max_message <= std::numeric_limits<std::uint32_t>::max(),
            "max_message must be below 4 GiB, not " + std::to_string(o.max_message) + " bytes");
}

}  // namespace detail

}  // namespace papilio
