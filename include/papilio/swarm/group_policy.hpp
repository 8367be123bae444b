#pragma once

#include <papilio/base/config.hpp>
#include <papilio/swarm/member.hpp>
#include <papilio/swarm/membership_events.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// How many contributors' reports named a member as the culprit, over the failed attempts at the
/// current round.
using blame_count = std::map<std::uint16_t, int>;

/// The member to leave out of the next attempt: the one blamed most, once three attempts have
/// failed. Fewer attempts may fail by chance, and then nobody is left out.
inline std::optional<std::uint16_t> excluded_member(std::uint32_t failed_attempts,
                                                    const blame_count& blamed)
{
    constexpr std::uint32_t min_attempts = 3;
    if (failed_attempts < min_attempts || blamed.empty()) return std::nullopt;
    const auto most = std::ranges::max_element(
        blamed, [](const auto& a, const auto& b) { return a.second < b.second; });
    return most->first;
}

/// Whether some of these members are on other hosts than the rendezvous.
inline bool any_remote(const member_map& members, const std::vector<std::uint16_t>& ids)
{
    return std::ranges::any_of(ids, [&](std::uint16_t id) { return !members.at(id).nearby; });
}

/// The role of a member in a group. Whom not all others can dial owns no part.
inline wire::member_role role_in_group(const member& m, bool with_remote)
{
    const bool hidden = m.role == wire::member_role::full && m.loopback_only && with_remote;
    return hidden ? wire::member_role::client : m.role;
}

/// Whether one of these members can own a part of the reduction.
inline bool any_reduces(const member_map& members, const std::vector<std::uint16_t>& ids)
{
    const bool with_remote = any_remote(members, ids);
    return std::ranges::any_of(ids, [&](std::uint16_t id) {
        return role_in_group(members.at(id), with_remote) == wire::member_role::full;
    });
}

/// The members that can be in the next group: those that are ready, as long as one of them can own
/// a part. Else those on the host of the rendezvous, if one of them can do so among themselves, and
/// else nobody: clients alone cannot average.
inline std::vector<std::uint16_t> group_candidates(const member_map& members,
                                                   std::optional<std::uint16_t> excluded)
{
    std::vector<std::uint16_t> ids;
    for (const auto& [id, m] : members)
        if (m.state == member_state::ready && id != excluded) ids.push_back(id);
    if (any_reduces(members, ids)) return ids;
    std::erase_if(ids, [&](std::uint16_t id) { return !members.at(id).nearby; });
    if (!any_reduces(members, ids)) ids.clear();
    return ids;
}

/// The earliest time at which the candidates may form a group: `min()` when no other member is
/// waited for, nothing while they are too few. The late report of an observer is waited for, too.
inline std::optional<time_point> group_due(const member_map& members,
                                           const std::vector<std::uint16_t>& candidates,
                                           std::optional<std::uint16_t> excluded,
                                           const membership_options& o)
{
    int contributors = 0;
    time_point first_ready = time_point::max();
    for (const auto id : candidates) {
        const auto& m = members.at(id);
        if (m.role == wire::member_role::observer) continue;
        ++contributors;
        first_ready = std::min(first_ready, m.ready_since);
    }
    if (contributors < o.min_group) return std::nullopt;
    const bool complete = std::ranges::all_of(members, [&](const auto& entry) {
        const member_state state = entry.second.state;
        return state == member_state::ready || state == member_state::outdated ||
               entry.first == excluded;
    });
    return complete ? time_point::min() : first_ready + o.group_wait;
}

/// Where none of the first `limit` candidates can own a part, exchanges the last of them for the
/// first of the others that can.
inline void admit_reducer(const member_map& members, std::vector<std::uint16_t>& candidates,
                          std::size_t limit)
{
    if (candidates.size() <= limit) return;
    const bool with_remote = any_remote(members, candidates);
    const auto last = candidates.begin() + static_cast<std::ptrdiff_t>(limit) - 1;
    const auto first = std::ranges::find_if(candidates, [&](std::uint16_t id) {
        return role_in_group(members.at(id), with_remote) == wire::member_role::full;
    });
    if (first != candidates.end() && first > last) std::iter_swap(first, last);
}

struct group_choice {
    std::vector<std::uint16_t> chosen;   ///< ascending
    std::vector<std::uint16_t> skipped;  ///< ready, but the group is full
};

/// Takes all observers among the candidates, and `max_group` contributors: first those skipped most
/// often, then those with the lowest id; but one at least that can own a part.
inline group_choice choose_group(const member_map& members, std::vector<std::uint16_t> candidates,
                                 int max_group)
{
    const auto observes = [&](std::uint16_t id) {
        return members.at(id).role == wire::member_role::observer;
    };
    std::ranges::sort(candidates, [&](std::uint16_t a, std::uint16_t b) {
        if (observes(a) != observes(b)) return observes(a);
        const auto skipped_a = members.at(a).skipped, skipped_b = members.at(b).skipped;
        return skipped_a != skipped_b ? skipped_a > skipped_b : a < b;
    });
    group_choice result;
    const auto limit = max_group + std::ranges::count_if(candidates, observes);
    admit_reducer(members, candidates, static_cast<std::size_t>(limit));
    for (; std::ssize(candidates) > limit; candidates.pop_back())
        result.skipped.push_back(candidates.back());
    std::ranges::sort(candidates);
    result.chosen = std::move(candidates);
    return result;
}

/// The `skipped` of a new member: the lowest of the others, so that it goes neither before nor
/// behind them.
inline std::uint64_t min_skipped(const member_map& members)
{
    std::optional<std::uint64_t> lowest;
    for (const auto& [id, m] : members)
        if (m.role != wire::member_role::observer)
            lowest = std::min(lowest.value_or(m.skipped), m.skipped);
    return lowest.value_or(0);
}

}  // namespace papilio::detail
