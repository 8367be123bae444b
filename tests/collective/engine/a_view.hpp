#pragma once

#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/settlement.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/plan/partition.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/wire/proposal.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::test {

/// A call that has come to view 3, and what that has settled on: by hand, run by run.
struct a_view {
    /// Reducers have parts of nearly the same size.
    a_view(std::vector<role> roles, std::size_t count, std::size_t columns, std::size_t granule = 1)
        : plan{.stages = butterfly(static_cast<int>(roles.size())),
               .parts = {},
               .roles = std::move(roles)},
          call{detail::voters(plan.roles, {}),
               {static_cast<int>(plan.roles.size()), plan.roles.size(),
                static_cast<std::uint32_t>(columns)},
               std::vector<rank_set>(plan.roles.size())}
    {
        const auto peers = static_cast<int>(plan.roles.size());
        std::vector<double> shares;
        for (const auto r : plan.roles) shares.push_back(reduces(r) ? 1 : 0);
        plan.parts = partition(count, shares);
        plan.granule = granule;
        plan.columns = columns;
        plan.slots = 2;
        rank_set holders;
        for (int peer = 0; peer < peers; ++peer)
            if (contributes(plan.roles[index(peer)])) holders.insert(peer);
        for (int part = 0; part < peers; ++part)
            call.needed_by[index(part)] = holders | rank_set{part};
        settled.view = 3;
        settled.members = rank_set::of_all(peers);
        settled.complaints.resize(index(peers));
        for (int peer = 0; peer < peers; ++peer) settled.weights.push_back(peer + 1);
        settled.versions = {{0, call.who.contributors()}, {3, call.who.contributors()}};
        settled.runs.resize(index(peers));
    }

    static std::size_t index(int rank) { return static_cast<std::size_t>(rank); }

    /// These are not members.
    void lose(const rank_set& peers)
    {
        settled.members -= peers;
        settled.versions.back().contributors -= peers;
    }

    /// As in a reduce_scatter.
    void scatter()
    {
        for (int part = 0; part < call.extent.peers; ++part) call.needed_by[index(part)] = {part};
    }

    /// Columns of a part are kept, or made anew: then all who are to have them lack them.
    void keep(int part, std::uint32_t first, std::uint32_t columns, int source, rank_set lacking)
    {
        settled.runs[index(part)].push_back({first, columns, 0, source, std::move(lacking)});
    }
    void renew(int part, std::uint32_t first, std::uint32_t columns)
    {
        const auto lacking = call.needed_by[index(part)] & settled.members;
        if (!lacking.empty()) settled.runs[index(part)].push_back({first, columns, 3, -1, lacking});
    }

    void renew_all()
    {
        for (int part = 0; part < call.extent.peers; ++part) renew(part, 0, call.extent.columns);
    }

    detail::call_plan plan;
    detail::call_shape call;
    wire::proposal settled;
};

}  // namespace papilio::test
