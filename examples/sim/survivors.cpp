#include "survivors.hpp"

#include <algorithm>

namespace papilio::example::simulator {

duration longest_way(const scenario& s)
{
    double slowest = 0;  // seconds for a byte, up and down
    for (const auto& a : s.each)
        slowest = std::max({slowest, 1 / a.up_bytes_per_second, 1 / a.down_bytes_per_second});
    const auto bytes = 2 * sizeof(float) * s.elements;  // a contribution and a result of each
    const std::chrono::duration<double> moving(2 * slowest * static_cast<double>(bytes));
    return s.latency + s.jitter + std::chrono::duration_cast<duration>(moving);
}

namespace {

bool is_named(const scenario& s, int rank)
{
    return std::ranges::any_of(s.faults, [&](const sim::fault& f) {
        return std::ranges::find(f.peers, rank) != f.peers.end();
    });
}

}  // namespace

bool has_time_to_go_on(const scenario& s)
{
    const auto faults = static_cast<std::int64_t>(s.faults.size());
    std::int64_t named = 0;
    for (int rank = 0; rank < s.peers; ++rank) named += is_named(s, rank);
    return s.timeout >= 32 * std::max(faults, named) * longest_way(s);
}

std::vector<int> survivors(const scenario& s)
{
    if (!s.salvage || !s.roles.empty() || s.faults.empty() || !has_time_to_go_on(s)) return {};
    if (std::ranges::count(s.faults, sim::verb::flip, &sim::fault::what) > 0) return {};
    std::vector<int> left;
    bool contribute = false;
    for (int rank = 0; rank < s.peers; ++rank) {
        if (is_named(s, rank)) continue;
        left.push_back(rank);
        contribute = contribute || s.weight_of(rank) > 0;
    }
    const bool enough = 2 * static_cast<int>(left.size()) > s.peers;
    return enough && contribute ? left : std::vector<int>{};
}

}  // namespace papilio::example::simulator
