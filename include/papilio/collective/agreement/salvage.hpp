#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/call_shape.hpp>
#include <papilio/collective/agreement/view_mover.hpp>
#include <papilio/collective/agreement/voters.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/wire/proposal.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// How a call goes on when it loses peers.
struct salvage {
    bool scattered = false;  ///< each peer wants its own part alone
    bool gathers = false;    ///< each part is what its owner has, and all want it
    bool uniform = false;    ///< the same contributors in all of the result
    int min_peers = 0;       ///< without so many it fails

    papilio::on_straggler on_straggler = papilio::on_straggler::drop_overdue;
    duration patience{};  ///< for each unit of weight; see `call_options`

    /// Of the data of later views. Borrowed; null: there is nothing to move.
    view_mover* mover = nullptr;
};

inline wire::call_extent extent_of(const call_plan& plan)
{
    return {.peers = static_cast<int>(plan.roles.size()),
            .parts = plan.parts.size(),
            .columns = static_cast<std::uint32_t>(plan.columns)};
}

/// Peers that vote, and are to hold the whole result.
inline rank_set holders(const call_plan& plan, const salvage& how)
{
    rank_set all;
    for (int peer = 0; peer < static_cast<int>(plan.roles.size()); ++peer)
        if (!how.scattered && votes(plan.roles[index(peer)]) && plan.receives(peer))
            all.insert(peer);
    return all;
}

inline call_shape shape_of(const call_plan& plan, const salvage& how)
{
    const auto all = holders(plan, how);
    call_shape shape{.who = voters(plan.roles, all, how.min_peers),
                     .extent = extent_of(plan),
                     .needed_by = {},
                     .uniform = how.uniform && !how.gathers,
                     .gathers = how.gathers};
    for (int owner = 0; owner < static_cast<int>(plan.parts.size()); ++owner) {
        // An auxiliary that declines the result has its own part all the same.
        auto wanted = how.scattered ? rank_set{} : all;
        if (reduces(plan.roles[index(owner)])) wanted.insert(owner);
        shape.needed_by.push_back(plan.part_size(owner) > 0 ? wanted : rank_set{});
    }
    return shape;
}

/// How many contributions, and how many results or credits, `peer` sends `me` in view 0.
inline std::pair<std::uint32_t, std::uint32_t> data_messages(const call_plan& plan, int peer,
                                                             int me, const salvage& how)
{
    const int k = plan.stages.meeting(me, peer);
    const bool serves = plan.receives(peer) && !plan.parts_of(me, k).empty();
    const bool served = plan.receives(me) && !plan.parts_of(peer, k).empty();
    // A message that carries no data lets its receiver send one more, and is not owed for the last.
    const auto there = plan.columns - (how.gathers ? plan.slots : 0);
    const auto back = plan.columns - (how.scattered ? plan.slots : 0);
    return {static_cast<std::uint32_t>(serves ? there : 0),
            static_cast<std::uint32_t>(served ? back : 0)};
}

/// How many contributions each peer sends `me` in view 0, by rank.
inline std::vector<std::uint32_t> contributions_to(int me, const call_plan& plan,
                                                   const salvage& how)
{
    std::vector<std::uint32_t> all(plan.roles.size(), 0);
    for (int peer = 0; peer < static_cast<int>(all.size()); ++peer)
        if (peer != me && votes(plan.roles[index(peer)]) && plan.stages.meeting(me, peer) >= 0)
            all[index(peer)] = data_messages(plan, peer, me, how).first;
    return all;
}

/// Whether a call can go on without somebody: neither of two peers can without the other, and there
/// has to be memory for what every peer may say of a view.
inline bool can_lose_any(const call_plan& plan, const salvage& how)
{
    constexpr std::size_t most = std::size_t{32} << 20;
    const auto voting = std::ranges::count_if(plan.roles, votes);
    auto counted = holders(plan, how).size();
    if (counted == 0) counted = static_cast<int>(voting);
    return std::max(counted / 2 + 1, how.min_peers) < voting &&
           wire::largest_proposal(extent_of(plan)) <= most / plan.roles.size();
}

}  // namespace papilio::detail
