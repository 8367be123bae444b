#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/plan/link_table.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// The shortest time in seconds in which any all-reduce of `size` bytes of wire data could end over
/// these links, given that data may be combined on its way: each peer must send and receive the
/// data once, all together must send and receive it 2 (n - 1) times, whatever separates two groups
/// of peers must carry it once each way, and nothing is known before one latency has passed. Of the
/// groups, those of whole sites are looked at; up to 20 sites. Throws `errc::bad_argument` for a
/// table that makes no sense.
inline double lower_bound_seconds(const link_table& links, std::size_t size)
{
    const auto n = links.access.size();
    check(links, n);
    if (links.between.size() > 20)
        throw detail::bad_value("the number of sites in link_table::between", "at most 20",
                                links.between.size());
    if (n < 2) return 0;
    double slowest = links.access[0].up, up = 0, down = 0;
    for (const auto& a : links.access) {
        slowest = std::min({slowest, a.up, a.down});
        up += a.up;
        down += a.down;
    }
    const double steps = 2.0 * (static_cast<double>(n) - 1);
    double per_byte = std::max({1 / slowest, steps / up, steps / down});

    std::vector<bool> lived(links.between.size());
    for (const auto site : links.site)
        if (!lived.empty()) lived[site] = true;
    for (std::size_t group = 1; group + 1 < std::size_t{1} << lived.size(); ++group) {
        const auto within = [&](std::size_t site) { return (group >> site & 1) != 0; };
        bool here = false, there = false;
        double out = 0;
        for (std::size_t from = 0; from < lived.size(); ++from) {
            if (!lived[from]) continue;
            (within(from) ? here : there) = true;
            for (std::size_t to = 0; to < lived.size(); ++to)
                if (lived[to] && within(from) && !within(to)) out += links.between[from][to];
        }
        if (here && there) per_byte = std::max(per_byte, 1 / out);
    }
    return links.latency_seconds + per_byte * static_cast<double>(size);
}

}  // namespace papilio
