#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// What the link between a peer and the network carries: payload bytes per second.
struct access_rate {
    double up = 0;    ///< from the peer
    double down = 0;  ///< to it
    friend constexpr bool operator==(const access_rate&, const access_rate&) = default;
};

/// What is known about the links of a group. All peers of a call must hold the same table, for who
/// owns what follows from it.
///
/// Peers may live at sites. Within a site only the peers' own access limits them; from one site to
/// another all their traffic shares `between`.
struct link_table {
    std::vector<access_rate> access = {};  ///< by rank
    std::vector<std::size_t> site = {};    ///< of each peer, from 0; empty: all are at one

    /// `[from][to]`, payload bytes per second; empty: no limit but the peers' own.
    std::vector<std::vector<double>> between = {};

    /// One way, between the two that are furthest apart; zero: not known.
    double latency_seconds = 0;

    /// What a single stream between two peers reaches, where losses or windows bound it below what
    /// the access carries; payload bytes per second, zero: no such bound.
    double stream_rate = 0;
    friend bool operator==(const link_table&, const link_table&) = default;
};

/// A rate below a byte per second is no link.
inline constexpr double min_rate = 1;

/// Throws `errc::bad_argument` unless `t` is about `peers` peers, every rate is a finite number of
/// `min_rate` or more, and every peer's site is one of those in `between`, if that is given.
inline void check(const link_table& t, std::size_t peers)
{
    const auto refuse = [](const char* why) { throw std::system_error(errc::bad_argument, why); };
    const auto good = [](double rate) { return std::isfinite(rate) && rate >= min_rate; };
    if (t.access.size() != peers) refuse("a link table names every peer of the group");
    for (const auto& a : t.access)
        if (!good(a.up) || !good(a.down)) refuse("a link's rate is a byte per second or more");
    if (!std::isfinite(t.latency_seconds) || t.latency_seconds < 0)
        refuse("a latency is not negative");
    if (t.stream_rate != 0 && !good(t.stream_rate))
        refuse("a stream's rate is a byte per second or more");
    if (!t.site.empty() && t.site.size() != peers) refuse("a link table gives every peer a site");
    if (t.between.empty()) return;
    for (const auto site : t.site)
        if (site >= t.between.size()) refuse("a peer is at a site without links to the others");
    for (std::size_t from = 0; from < t.between.size(); ++from) {
        if (t.between[from].size() != t.between.size())
            refuse("the rates between sites are a square");
        for (std::size_t to = 0; to < t.between.size(); ++to)
            if (from != to && !good(t.between[from][to]))
                refuse("a link's rate is a byte per second or more");
    }
}

}  // namespace papilio
