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

/// What a link has carried in one direction while a call lasted. Zeros: too little to tell.
struct flow {
    double bytes_per_second = 0;  ///< the most for a moment, 50 ms or more
    double busy = 0;              ///< how much of the time at that rate: 1 is all of it
    friend bool operator==(const flow&, const flow&) = default;
};

/// What a peer tells the others of its own link. Zero: it does not know.
struct advertised_link {
    double up = 0;    ///< bytes per second from the peer
    double down = 0;  ///< and to it
    double latency_seconds = 0;
    friend bool operator==(const advertised_link&, const advertised_link&) = default;
};

struct link_history_options {
    std::chrono::nanoseconds lifetime = std::chrono::minutes(30);  ///< of what was not seen again
    double tolerance = 0.15;  ///< what is told stands while what is seen differs by no more
    double busy = 0.7;        ///< how busy a link must have been to have been the limit
};

/// What a peer learns of its own link from one call or probe to the next, and what it tells the
/// others of that. Pure: whoever uses it passes the time.
///
/// A call shows what a link carried, which is less than it can carry unless the link was what all
/// waited for. So a call in which it was busy nearly all the time counts as a measurement, and any
/// other only proves that it can carry at least that much. Of measurements the median of the last
/// three counts: one bad call changes nothing, two in a row do. Proof that it can carry more
/// counts at once, and if that was too much, the larger part that follows from it soon measures it.
class link_history {
public:
    explicit link_history(link_history_options o = {}) : options_(o) {}

    /// What a call showed: `report::up` and `report::down`.
    void note_round(const flow& up, const flow& down, std::chrono::nanoseconds now)
    {
        up_.note(up.bytes_per_second, up.busy >= options_.busy, now);
        down_.note(down.bytes_per_second, down.busy >= options_.busy, now);
    }

    /// What a probe measured, payload bytes per second.
    void note_probe(const access_rate& measured, std::chrono::nanoseconds now)
    {
        up_.note(measured.up, true, now);
        down_.note(measured.down, true, now);
    }

    /// One way, to the peer that is furthest away: half of `report::round_trip`, or a probe's.
    void note_latency(double seconds, std::chrono::nanoseconds now)
    {
        latency_.note(seconds, true, now);
    }

    /// What to tell the others. It changes by leaps, so that parts do not change from call to
    /// call for nothing.
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

/// The table that follows from what all peers, by rank, have told; the same for everybody who has
/// heard the same. A direction that nobody has seen is taken to be as fast as the other one, and a
/// link that nobody has seen as fast as the one in the middle. Nothing where nobody knows anything.
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
