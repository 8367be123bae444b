#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>

namespace papilio::test {

/// The simulations to run: those from `first` to `last`.
struct seed_range {
    int first = 1;
    int last = 1;
};

/// From 1 to `standard`, or as PAPILIO_SEEDS says: "2000" is the first two thousand, but no more
/// than `most`; "39..39" is one.
inline seed_range seeds(int standard, int most = std::numeric_limits<int>::max())
{
    const char* set = std::getenv("PAPILIO_SEEDS");
    if (set == nullptr) return {1, standard};
    seed_range range;
    char rest = 0;
    if (std::sscanf(set, "%d..%d%c", &range.first, &range.last, &rest) != 2) {
        range.first = 1;
        if (std::sscanf(set, "%d%c", &range.last, &rest) != 1) range.last = 0;
        range.last = std::min(range.last, most);
    }
    if (range.first < 1 || range.last < range.first)
        throw std::runtime_error("PAPILIO_SEEDS is a number, or first..last");
    return range;
}

/// The line that shows a failure again, for `INFO`.
inline std::string again(int seed, const char* test)
{
    const std::string number = std::to_string(seed);
    return "to see it again: PAPILIO_SEEDS=" + number + ".." + number + " papilio_test '" + test +
           "'";
}

}  // namespace papilio::test
