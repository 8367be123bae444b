#pragma once

#include <papilio/base/random.hpp>
#include <papilio/base/rank_set.hpp>

#include <collective/agreement/crowd.hpp>

#include <chrono>
#include <cstdint>
#include <iterator>

namespace papilio::test {

inline int below(random& draw, int n)
{
    return static_cast<int>(draw.below(static_cast<std::uint64_t>(n)));
}

inline int somebody(const crowd& c, random& draw)
{
    return std::next(c.members().begin(), below(draw, static_cast<int>(c.members().size())))->first;
}

/// Something befalls one or two members of a crowd, which are returned: most often while the call's
/// first messages are under way.
inline rank_set lose_something(crowd& c, const crowd_options& o, random& draw)
{
    const int a = somebody(c, draw), b = somebody(c, draw);
    auto when = duration(
        static_cast<duration::rep>(draw.below(static_cast<std::uint64_t>(3 * o.latency.count()))));
    if (below(draw, 3) == 0) when += std::chrono::milliseconds(below(draw, 600));
    const int what = below(draw, 5);
    if (what == 0)
        c.crash(a, when);
    else if (what == 1)
        c.stop(a, when, std::chrono::milliseconds(50 + below(draw, 3000)));
    if (what < 2 || a == b) return {a};
    if (what == 2)
        c.cut(a, b, when);
    else if (what == 3)
        c.close(a, b, when);
    else
        c.slow(a, b, when, std::chrono::milliseconds(100 + below(draw, 2000)));
    return {a, b};
}

}  // namespace papilio::test
