#pragma once

#include <papilio/plan/link_table.hpp>
#include <papilio/plan/schedule.hpp>

#include <cstddef>
#include <vector>

// Links to plan for.
namespace papilio::test {

inline link_table equal(std::size_t n, double rate, double latency = 0)
{
    return {.access = std::vector<access_rate>(n, {rate, rate}), .latency_seconds = latency};
}

/// `count` sites of `peers` each, whose peers have `inside` bytes per second and whose lines to
/// each other `thin`.
inline link_table sites(std::size_t count, std::size_t peers, double inside, double thin)
{
    auto links = equal(count * peers, inside);
    for (std::size_t p = 0; p < links.access.size(); ++p) links.site.push_back(p / peers);
    links.between.assign(count, std::vector<double>(count, thin));
    return links;
}

inline constexpr workload mebi{.bytes = 1 << 20, .per_message = 0};

}  // namespace papilio::test
