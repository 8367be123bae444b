#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>

#include <cmath>
#include <cstddef>
#include <string>
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
    using detail::bad_length;
    using detail::bad_value;
    const auto at = [](std::size_t i) { return "[" + std::to_string(i) + "]"; };
    const auto check_rate = [](double rate, const auto& name) {
        if (!std::isfinite(rate) || rate < min_rate)
            throw bad_value("link_table::" + name(), "1 byte per second or more, and finite", rate);
    };
    if (t.access.size() != peers) throw bad_length("link_table::access", t.access.size(), peers);
    for (std::size_t i = 0; i < peers; ++i) {
        check_rate(t.access[i].up, [&] { return "access" + at(i) + ".up"; });
        check_rate(t.access[i].down, [&] { return "access" + at(i) + ".down"; });
    }
    if (!std::isfinite(t.latency_seconds) || t.latency_seconds < 0)
        throw bad_value("link_table::latency_seconds", "at least 0, and finite", t.latency_seconds);
    if (t.stream_rate != 0) check_rate(t.stream_rate, [] { return std::string("stream_rate"); });
    if (!t.site.empty() && t.site.size() != peers)
        throw bad_length("link_table::site", t.site.size(), peers);
    const auto sites = t.between.size();
    if (sites == 0) return;
    for (std::size_t i = 0; i < t.site.size(); ++i)
        if (t.site[i] >= sites)
            throw bad_value(
                "link_table::site" + at(i),
                "below " + std::to_string(sites) + ", the number of sites in link_table::between",
                t.site[i]);
    for (std::size_t from = 0; from < sites; ++from) {
        if (t.between[from].size() != sites)
            throw bad_length("link_table::between" + at(from), t.between[from].size(),
                             std::to_string(sites) + " sites");
        for (std::size_t to = 0; to < sites; ++to)
            if (from != to)
                check_rate(t.between[from][to], [&] { return "between" + at(from) + at(to); });
    }
}

}  // namespace papilio
