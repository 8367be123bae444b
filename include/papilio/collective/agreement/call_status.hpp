#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/report.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// How far a call is: what it waits for, and what its report says so far.
struct call_status {
    time_point begin{};
    duration limit{};  ///< the call returns within this time
    phase where = phase::contribution;
    report result{};
    std::vector<int> unserved{};  ///< observers that have not fetched all they may

    /// This peer's own part is complete.
    void part_reduced(time_point now)
    {
        result.reduced = now - begin;
        where = phase::result;
    }

    /// Observer `peer` has fetched the whole of this peer's part.
    void served(int peer) { std::erase(unserved, peer); }

    /// A short time next to the call's limit: how long before it a decision is due.
    duration decision_margin() const
    {
        return std::min<duration>(limit / 8, std::chrono::seconds(1));
    }
};

}  // namespace papilio::detail
