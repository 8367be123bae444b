#pragma once

#include "model/settings.hpp"
#include "model/state.hpp"

#include <bit>
#include <cstddef>

// Who has to do what, and what follows from what has been said.
namespace papilio::model {

inline int coordinator(const settings& of, int view) noexcept
{
    return (view - 1) % of.peers;
}

/// Who reduces a chunk in a view: its owner or, if that is no member, the members in turn. A chunk
/// is one of the peers' parts in one of the columns.
inline int writer(const settings& of, const view_record& in, int chunk) noexcept
{
    const int owner = chunk % of.peers, column = chunk / of.peers;
    if (has(in.members, owner)) return owner;
    int p = 0;
    for (int skip = column % std::popcount(in.members);; ++p)
        if (has(in.members, p) && skip-- == 0) return p;
}

/// Who passes a chunk on that was reduced before the view.
inline int source(const settings& of, const view_record& in, std::size_t chunk) noexcept
{
    for (int p = 0; p < of.peers; ++p)
        if (has(in.members, p) && in.promises[index(p)].held[chunk] == in.settled[chunk]) return p;
    return -1;
}

inline bool may_be_members(const settings& of, bits set) noexcept
{
    if (of.planted == bug::half_quorum) return 2 * std::popcount(set) >= of.peers;
    return is_majority(of, set);
}

inline bool is_decided(const settings& of, const view_record& in) noexcept
{
    if (in.members == 0) return false;
    if (of.planted == bug::majority_success) return is_majority(of, in.yes);
    return includes(in.yes, in.members);
}

/// The latest vote among promises to a view by `members`, which is to be adopted; or `none`.
inline view_number latest_vote(const settings& of, const view_record& in, bits members) noexcept
{
    view_number latest = none;
    for (int p = 0; p < of.peers; ++p) {
        const auto voted = in.promises[index(p)].voted;
        if (has(members, p) && voted != none && (latest == none || voted > latest)) latest = voted;
    }
    return latest;
}

/// The versions that a coordinator may propose for a chunk if no member has voted: bit v is set if
/// that of view v is one.
inline bits choices_of_version(const settings& of, const view_record& in, int view, bits members,
                               std::size_t chunk) noexcept
{
    const bits anew = bit(view);
    bits held = 0, latest = 0;
    for (int p = 0; p < of.peers; ++p)
        if (const auto v = in.promises[index(p)].held[chunk]; has(members, p) && v != none)
            held |= bit(v);
    if (held != 0) latest = std::bit_floor(held);
    if (of.keeps == keeping::latest) return held != 0 ? latest : anew;
    return (of.keeps == keeping::latest_or_none ? latest : held) | anew;
}

/// Whether peer p has to make the proposal of a view, and has not done so.
inline bool may_propose(const settings& of, const state& s, int p, int view) noexcept
{
    const auto& me = s.peers[index(p)];
    return coordinator(of, view) == p && me.end == outcome::running && me.promised == view &&
           me.joined < view && s.views[index(view)].members == 0;
}

/// Every set of members that promises to a view allow. Which one a coordinator takes depends on
/// complaints; here it takes any.
template <class Take>
void for_each_choice_of_members(const settings& of, const view_record& in, Take take)
{
    bits promised = 0;
    for (int p = 0; p < of.peers; ++p)
        if (in.promises[index(p)].sent) promised |= bit(p);
    for (unsigned set = promised; set != 0; set = (set - 1) & promised)
        if (may_be_members(of, static_cast<bits>(set))) take(static_cast<bits>(set));
}

}  // namespace papilio::model
