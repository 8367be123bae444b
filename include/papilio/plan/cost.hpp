#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/plan/columns.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/plan/lower_bound.hpp>
#include <papilio/plan/schedule.hpp>
#include <papilio/plan/traffic_count.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

// What an all-reduce will cost over known links.
namespace papilio::inline PAPILIO_MODE {

struct prediction {
    double seconds = 0;
    double bound_seconds = 0;     ///< what no method can beat, by `lower_bound_seconds`
    int roundings = 0;            ///< how many times a lossy codec rounds on the way
    std::string limited_by = {};  ///< in words, what the time is spent on
};

/// Throws `errc::bad_argument` unless the numbers are finite and not negative, and the ratio is
/// above zero.
inline void check(const workload& work);

/// How long a call takes. All stages stream at the same time, both ways, so that the time is that
/// of the busiest part of the network (a peer's uplink or downlink, the lines between two sites) or
/// of the processor, whichever is longer, and the latencies of the first column's way there and
/// back and of the votes. Little data goes from everybody to everybody, where a latency fewer
/// counts. What is in flight is taken to be enough. Throws `errc::bad_argument` for a table or
/// schedule that makes no sense.
prediction predict(const link_table& links, const workload& work, const schedule& how);

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// Whether the engine sends everybody everything, as far as roles let it.
inline bool goes_to_all(const schedule& how, const link_table& links, const workload& work)
{
    return how.radix.size() <= 1 && how.chunk_bytes == 0 &&
           is_small(work.bytes, links.access.size());
}

/// The longest that everybody's sending everything to everybody keeps a link busy.
inline double all_to_all_seconds(const link_table& links, const workload& work)
{
    double slowest = links.access.front().up;
    for (const auto& a : links.access) slowest = std::min({slowest, a.up, a.down});
    return static_cast<double>(work.bytes) * work.wire_ratio *
           static_cast<double>(links.access.size() - 1) / slowest;
}

/// What no schedule changes: that the table makes sense, and the bound.
inline double bound_seconds(const link_table& links, const workload& work)
{
    const auto n = links.access.size();
    if (n == 0) throw bad_value("the number of peers in link_table::access", "at least 1", n);
    check(links, n);
    check(work);
    const auto wire = static_cast<double>(work.bytes) * work.wire_ratio;
    if (!(wire < 0x1p63))
        throw bad_value("workload::bytes * workload::wire_ratio", "below 2^63", wire);
    return lower_bound_seconds(links, static_cast<std::size_t>(wire));
}

inline prediction predict_within(double bound, const link_table& links, const workload& work,
                                 const schedule& how)
{
    const traffic_count traffic(links, work, how);
    prediction p;
    p.bound_seconds = bound;
    p.roundings = traffic.stages() + 1;
    if (goes_to_all(how, links, work)) {
        const double bytes = all_to_all_seconds(links, work);
        p.seconds = bytes + 2 * links.latency_seconds;
        p.limited_by = bytes > 2 * links.latency_seconds ? "the slowest link" : "latency";
        return p;
    }
    const auto [line, name] = traffic.busiest_line();
    const double core = traffic.messages() * work.per_message +
                        static_cast<double>(work.bytes) * work.work_per_byte;
    const bool busy = core > line;
    p.limited_by = busy ? "the processor" : name;
    // There, back, and the vote.
    const double trips = links.access.size() > 1 ? 3.0 * traffic.stages() : 0;
    p.seconds = std::max(line, core) + trips * links.latency_seconds;
    if (trips * links.latency_seconds > std::max(line, core)) p.limited_by = "latency";
    return p;
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

inline void check(const workload& work)
{
    const auto good = [](double number) { return std::isfinite(number) && number >= 0; };
    if (!good(work.wire_ratio) || work.wire_ratio == 0)
        throw detail::bad_value("workload::wire_ratio", "above 0, and finite", work.wire_ratio);
    if (!good(work.work_per_byte))
        throw detail::bad_value("workload::work_per_byte", "at least 0, and finite",
                                work.work_per_byte);
    if (!good(work.per_message))
        throw detail::bad_value("workload::per_message", "at least 0, and finite",
                                work.per_message);
}

inline prediction predict(const link_table& links, const workload& work, const schedule& how)
{
    return detail::predict_within(detail::bound_seconds(links, work), links, work, how);
}

}  // namespace papilio
