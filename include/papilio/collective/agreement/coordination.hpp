#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/conflicts.hpp>
#include <papilio/collective/agreement/given_up.hpp>
#include <papilio/collective/agreement/settlement.hpp>
#include <papilio/wire/proposal.hpp>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Who may be the members of a view, and whom nobody needs to wait for.
struct candidates {
    rank_set members;
    rank_set given_up;
};

/// Of those who have promised a view, who may be its members; nothing while promises are awaited,
/// or if they are too few. Every voter must have promised the view, have withdrawn, or be given up.
inline std::optional<candidates> members_of(const call_shape& call,
                                            const promises_by_rank& promises,
                                            const rank_set& withdrawn)
{
    rank_set promised;
    std::vector<rank_set> complaints(promises.size());
    for (const int peer : call.who.all() - withdrawn) {
        if (!promises[index(peer)]) continue;
        promised.insert(peer);
        complaints[index(peer)] = promises[index(peer)]->complaints;
    }
    const auto awaited = call.who.all() - promised - withdrawn;
    auto lost = given_up(call.who, complaints, withdrawn);
    if (!lost.includes(awaited)) return std::nullopt;
    auto members = without_conflicts(promised, complaints);
    if (!call.who.may_be_members(members)) return std::nullopt;
    return candidates{std::move(members), std::move(lost)};
}

/// What a coordinator has to propose; nothing while it has to wait, or if the members cannot end
/// the call. Whoever is in conflict stays out only if it is given up, or if `strikes`: more may
/// complain soon.
inline std::optional<wire::proposal> proposal_of(const call_shape& call, std::uint8_t view,
                                                 const promises_by_rank& promises,
                                                 const rank_set& withdrawn, bool strikes)
{
    const auto found = members_of(call, promises, withdrawn);
    if (!found) return std::nullopt;
    for (const int peer : call.who.all() - withdrawn - found->members - found->given_up)
        if (promises[index(peer)] && !strikes) return std::nullopt;
    auto made = settling(call, view, found->members, promises).take();
    if (has_no_contributor(made) || has_unknown_weight(made)) return std::nullopt;
    if (call.uniform && made.versions.size() > 1) return std::nullopt;
    return made;
}

/// Whether the members of a proposal are those that the complaints in it lead to. Whoever else is
/// missing must have withdrawn. That is heard sooner or later of the others, but perhaps never of
/// `out_of_reach`, who are not asked for.
inline bool follows_from_complaints(const wire::proposal& said, const voters& who,
                                    const rank_set& withdrawn, const rank_set& out_of_reach)
{
    auto candidates = who.all() - given_up(who, said.complaints, withdrawn);
    for (const int peer : (withdrawn | out_of_reach) - said.members)
        if (said.complaints[index(peer)].empty()) candidates.erase(peer);
    return without_conflicts(candidates, said.complaints) == said.members &&
           who.may_be_members(said.members);
}

}  // namespace papilio::detail
