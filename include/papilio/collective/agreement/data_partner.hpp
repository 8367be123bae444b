#pragma once

#include <papilio/base/config.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Whom a peer meets in a view of a call, and what that one sends it.
struct data_partner {
    int rank = -1;
    int stage = 0;                    ///< in which the two meet
    std::uint32_t contributions = 0;  ///< 0 also if that is not known
    std::uint32_t results = 0;        ///< or credits

    std::uint32_t messages() const { return contributions + results; }
};

/// Others that contribute in the stage of `p`.
inline bool has_others(const std::vector<data_partner>& all, const data_partner& p)
{
    return std::ranges::any_of(all, [&](const data_partner& o) {
        return o.rank != p.rank && o.stage == p.stage && o.contributions > 0;
    });
}

/// Whether `holds(other)` for at least half of them.
template <class Holds>
bool half_of_others(const std::vector<data_partner>& all, const data_partner& p, const Holds& holds)
{
    int others = 0, found = 0;
    for (const auto& o : all) {
        if (o.rank == p.rank || o.stage != p.stage || o.contributions == 0) continue;
        ++others;
        found += holds(o);
    }
    return 2 * found >= others;
}

}  // namespace papilio::detail
