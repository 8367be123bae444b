#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>
#include <papilio/sim/faults.hpp>

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::sim {

/// How faults are drawn.
struct fault_range {
    int peers = 2;                               ///< at least 2
    int faults = 1;                              ///< how many
    duration span{};                             ///< they begin within this time
    duration longest = std::chrono::seconds(1);  ///< they are over after this time at most
    int flips = 0;                               ///< how many bits flip as well
};

/// Faults of all kinds at any time, flips last. Half of those that can be over will be. The same
/// numbers from `draw` give the same faults on every machine.
schedule draw_schedule(random& draw, const fault_range& in);

}  // namespace papilio::sim

namespace papilio::inline PAPILIO_MODE::sim::detail {

/// From 1 us to `most`, short times as likely as long ones: uniform in how often it is halved.
inline duration draw_time(random& draw, duration most)
{
    const auto halved = most.count() >> draw.below(12);
    const auto micros = static_cast<std::uint64_t>(halved / 1000) + 1;
    return std::chrono::microseconds(1 + draw.below(micros));
}

/// This many of the peers, in a random order.
inline std::vector<int> draw_peers(random& draw, int count, int of)
{
    std::vector<int> all(static_cast<std::size_t>(of));
    std::iota(all.begin(), all.end(), 0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
        std::swap(all[i], all[i + draw.below(all.size() - i)]);
    all.resize(static_cast<std::size_t>(count));
    return all;
}

inline duration draw_begin(random& draw, const fault_range& in)
{
    const auto span = static_cast<std::uint64_t>(in.span.count() / 1000) + 1;
    return std::chrono::microseconds(draw.below(span));
}

inline fault draw_flip(random& draw, const fault_range& in)
{
    return {.at = draw_begin(draw, in), .what = verb::flip, .peers = draw_peers(draw, 2, in.peers)};
}

/// Of any other kind.
inline fault draw_fault(random& draw, const fault_range& in)
{
    static_assert(verb_table[verbs - 1].what == verb::flip, "the others come first");
    fault f;
    f.at = draw_begin(draw, in);
    f.what = static_cast<verb>(draw.below(verbs - 1));
    const int fixed = entry_of(f.what).peers;
    const int some = 1 + static_cast<int>(draw.below(static_cast<std::uint64_t>(in.peers - 1)));
    f.peers = draw_peers(draw, fixed == 0 ? some : fixed, in.peers);
    if (f.what == verb::slow)
        f.by = draw_time(draw, std::chrono::milliseconds(50));
    else if (entry_of(f.what).by)
        f.by = draw_time(draw, in.longest);
    if (f.what != verb::crash && (f.what == verb::restart || draw.below(2) == 0))
        f.lasts = draw_time(draw, in.longest);
    return f;
}

}  // namespace papilio::sim::detail

namespace papilio::inline PAPILIO_MODE::sim {

inline schedule draw_schedule(random& draw, const fault_range& in)
{
    schedule all;
    for (int i = 0; i < in.faults; ++i) all.push_back(detail::draw_fault(draw, in));
    for (int i = 0; i < in.flips; ++i) all.push_back(detail::draw_flip(draw, in));
    return all;
}

}  // namespace papilio::sim
