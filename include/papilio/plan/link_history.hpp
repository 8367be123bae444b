#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/plan/link_table.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// The traffic of a link in one direction during a call. Zeros: too little to measure.
struct flow {
    double bytes_per_second = 0;  ///< the peak rate, over 50 ms or more
    double busy = 0;              ///< the share of the time at that rate, up to 1
    friend bool operator==(const flow&, const flow&) = default;
};

/// The figures of its own link that a peer tells the others. Zero: unknown.
struct advertised_link {
    double up = 0;    ///< bytes per second from the peer
    double down = 0;  ///< to the peer
    double latency_seconds = 0;
    friend bool operator==(const advertised_link&, const advertised_link&) = default;
};

struct link_history_options {
    std::chrono::nanoseconds lifetime = std::chrono::minutes(30);  ///< of a figure not seen again
    double tolerance = 0.15;  ///< a figure is told anew when it has changed by more
    double busy = 0.7;        ///< the `flow::busy` from which a link was the bottleneck
};

/// The history of a peer's own link over its calls, and the figures of it that the others are told.
/// Pure: the caller passes the time.
///
/// A call shows how much a link carried, which is less than its capacity unless the link was the
/// bottleneck. So a call in which it was busy nearly all the time counts as a measurement; any
/// other is only a lower bound. The median of the last three measurements counts: one bad call
/// changes nothing, two in a row do. A higher lower bound counts at once. If it is too high, the
/// peer's part grows, and the next calls measure the link.
class link_history {
public:
    explicit link_history(link_history_options o = {}) : options_(o) {}

    /// Records the traffic of a call: `report::up` and `report::down`.
    void note_call(const flow& up, const flow& down, std::chrono::nanoseconds now)
    {
        up_.note(up.bytes_per_second, up.busy >= options_.busy, now);
        down_.note(down.bytes_per_second, down.busy >= options_.busy, now);
    }

    /// Records the one-way latency to the furthest peer: half of `report::round_trip`, or a
    /// probe's.
    void note_latency(double seconds, std::chrono::nanoseconds now)
    {
        latency_.note(seconds, true, now);
    }

    /// The figures to tell the others. They change by more than the tolerance or not at all, so
    /// that parts do not change from call to call for nothing.
    advertised_link tell(std::chrono::nanoseconds now)
    {
        return {up_.tell(now, options_), down_.tell(now, options_), latency_.tell(now, options_)};
    }

private:
    class figure {
    public:
        void note(double value, bool measured, std::chrono::nanoseconds now)
        {
            if (!std::isfinite(value) || value <= 0) return;
            if (!measured && value <= median()) return;
            if (!measured) recent_.clear();
            if (recent_.size() == 3) recent_.erase(recent_.begin());
            recent_.push_back(value);
            last_ = now;
        }

        double tell(std::chrono::nanoseconds now, const link_history_options& o)
        {
            if (now - last_ > o.lifetime) recent_.clear();
            const double seen = median();
            if (std::abs(seen - told_) > o.tolerance * told_ || seen == 0) told_ = seen;
            return told_;
        }

    private:
        /// Of two the greater, of none zero.
        double median() const
        {
            if (recent_.empty()) return 0;
            auto sorted = recent_;
            std::ranges::sort(sorted);
            return sorted[sorted.size() / 2];
        }

        std::vector<double> recent_;  // oldest first
        std::chrono::nanoseconds last_{};
        double told_ = 0;
    };

    link_history_options options_;
    figure up_, down_, latency_;
};

/// The link table from the figures of all peers, by rank; peers with the same figures get the same
/// table. An unknown direction counts as fast as the other direction of its link, an unknown link
/// as fast as the median link. Nothing if no link is known.
std::optional<link_table> table_of(std::span<const advertised_link> told);

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

inline double known(double told, double least) noexcept
{
    return std::isfinite(told) && told >= least ? told : 0;
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

inline std::optional<link_table> table_of(std::span<const advertised_link> told)
{
    link_table t;
    std::vector<double> seen;
    for (const auto& link : told) {
        const double up = detail::known(link.up, min_rate);
        const double down = detail::known(link.down, min_rate);
        t.access.push_back({up > 0 ? up : down, down > 0 ? down : up});
        t.latency_seconds = std::max(t.latency_seconds, detail::known(link.latency_seconds, 0));
        if (const double slower = std::min(t.access.back().up, t.access.back().down); slower > 0)
            seen.push_back(slower);
    }
    if (seen.empty()) return std::nullopt;
    std::ranges::sort(seen);
    const double middle = seen[seen.size() / 2];
    for (auto& a : t.access)
        if (a.up == 0) a = {middle, middle};
    return t;
}

}  // namespace papilio
