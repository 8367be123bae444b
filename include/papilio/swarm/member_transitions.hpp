#pragma once

#include <papilio/base/config.hpp>
#include <papilio/swarm/group_policy.hpp>
#include <papilio/swarm/member.hpp>
#include <papilio/swarm/round_attempt.hpp>

#include <cstdint>
#include <string>
#include <vector>

// The state transitions of several members at once.
namespace papilio::inline PAPILIO_MODE::detail {

/// The chosen members start to average; the skipped ones stay ready. Returns the group.
inline std::vector<wire::group_member> start_group(member_map& members, const group_choice& choice)
{
    std::vector<wire::group_member> group;
    const bool with_remote = any_remote(members, choice.chosen);
    for (const auto id : choice.skipped) ++members.at(id).skipped;
    for (const auto id : choice.chosen) {
        member& m = members.at(id);
        m.state = member_state::averaging;
        m.fetch.holds = 0;
        group.push_back({id, m.at, role_in_group(m, with_remote), m.process});
    }
    for (auto& [id, m] : members) {
        m.warned = false;
        m.had_chance |= m.up_to_date();
    }
    return group;
}

/// Marks the members that still train as warned. Returns those that were not warned before.
inline std::vector<std::uint16_t> warn_training(member_map& members)
{
    std::vector<std::uint16_t> ids;
    for (auto& [id, m] : members) {
        if (m.state != member_state::training || m.warned) continue;
        m.warned = true;
        ids.push_back(id);
    }
    return ids;
}

/// The attempt succeeded: members that did not report the digest of the new state are out of date.
/// Returns those of them that were ready, and must be told not to wait for a group; and, if
/// `also_training`, those that train in vain.
inline std::vector<std::uint16_t> finish_success(member_map& members, const round_attempt& attempt,
                                                 const std::string& digest, bool also_training)
{
    std::vector<std::uint16_t> waiting;
    for (auto& [id, m] : members) {
        const bool trains = also_training && m.state == member_state::training;
        if (m.state == member_state::ready || trains) waiting.push_back(id);
        if (attempt.agreed(id, digest))
            m.state = member_state::training;
        else
            m.state = m.report_due() ? member_state::late_outdated : member_state::outdated;
        m.warned = false;
    }
    return waiting;
}

/// The attempt failed: all members keep their state.
inline void finish_failure(member_map& members)
{
    for (auto& [id, m] : members) {
        if (m.state == member_state::reported) m.state = member_state::training;
        if (m.state == member_state::averaging) m.state = member_state::late;
    }
}

/// The run turns out to be further than was known: those that held its state until now claim no
/// more than that any longer.
inline void fall_behind(member_map& members, const state_claim& earlier)
{
    for (auto& [id, m] : members) {
        if (m.state != member_state::training && m.state != member_state::ready) continue;
        m.state = member_state::outdated;
        m.claim = earlier;
    }
}

/// Members that have claimed a later state go on if that is the run's. Returns the others.
template <class IsCurrent>
std::vector<std::uint16_t> settle_claims(member_map& members, IsCurrent is_current)
{
    std::vector<std::uint16_t> ids;
    for (auto& [id, m] : members) {
        if (!m.claim) continue;
        const bool current = is_current(*m.claim);
        const auto goes_on = m.claim->ready ? member_state::ready : member_state::training;
        m.claim.reset();
        m.state = current ? goes_on : member_state::outdated;
        if (!current) ids.push_back(id);
    }
    return ids;
}

/// The member's own report was answered. A failed attempt leaves it where it was.
inline void finish_report(member& m, const wire::round_outcome& outcome)
{
    const bool current = outcome.ok ? outcome.yours : m.up_to_date();
    m.state = current ? member_state::training : member_state::outdated;
}

}  // namespace papilio::detail
