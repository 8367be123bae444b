#pragma once

#include <validator/run_host.hpp>

#include <string>
#include <vector>

namespace papilio::example {

/// A round of 4,000 floats that went well for all `miners`, as the host sees it: each sent what the
/// butterfly needs among two, over a link of 100 Mbit/s each way and 5 ms.
inline observation observed(std::uint32_t round, const std::vector<std::uint16_t>& miners)
{
    observation o;
    o.outcome.group = {round, 0, round + 1, 1000, {}};
    o.outcome.group.members.push_back({0, {"10.0.0.100", 1}, wire::member_role::observer});
    o.outcome.ok = true;
    o.outcome.digest = "after " + std::to_string(round + 1);
    for (const auto id : miners) {
        const wire::endpoint at{"10.0.0." + std::to_string(id), id};
        o.outcome.group.members.push_back({id, at, wire::member_role::full});
        o.outcome.reports[id] = {round, 0, true, o.outcome.digest, 16'000, 16'000, 0.5, -1};
        o.snapshot.members[id] = {"miner", at, true, false, {}, {}};
        o.snapshot.links[id] = link_figures{100, 100, 5, round};
    }
    o.snapshot.round = round + 1;
    return o;
}

}  // namespace papilio::example
