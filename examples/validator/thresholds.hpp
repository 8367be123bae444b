#pragma once

#include <cstdint>
#include <optional>

namespace papilio::example {

/// The latest measurement of a miner's link.
struct link_figures {
    double up_mbit = 0;       ///< from the miner
    double down_mbit = 0;     ///< to it
    double rtt_ms = 0;        ///< median
    std::uint32_t round = 0;  ///< rounds done when it was measured
};

/// Nothing: the last measurement failed.
using measured_link = std::optional<link_figures>;

/// Requirements on a miner's link; 0: none.
struct thresholds {
    double min_up_mbit = 10;
    double min_down_mbit = 10;
    double max_rtt_ms = 1000;

    bool any() const { return min_up_mbit > 0 || min_down_mbit > 0 || max_rtt_ms > 0; }
};

/// A link whose measurement failed meets no requirement.
inline bool meets(const measured_link& link, const thresholds& t)
{
    if (!t.any()) return true;
    if (!link) return false;
    return link->up_mbit >= t.min_up_mbit && link->down_mbit >= t.min_down_mbit &&
           (t.max_rtt_ms == 0 || link->rtt_ms <= t.max_rtt_ms);
}

}  // namespace papilio::example
