#pragma once

#include <algorithm>
#include <vector>

namespace papilio::perf {

/// Zero if there is none.
inline double median(std::vector<double> all)
{
    if (all.empty()) return 0;
    std::ranges::sort(all);
    return (all[(all.size() - 1) / 2] + all[all.size() / 2]) / 2;
}

}  // namespace papilio::perf
