#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/log.hpp>
#include <papilio/swarm/membership_events.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <variant>

namespace papilio::inline PAPILIO_MODE::detail {

/// Such as "2,5".
template <class Ids>
std::string listed(const Ids& ids)
{
    std::string text;
    for (const auto id : ids) text += (text.empty() ? "" : ",") + std::to_string(id);
    return text;
}

/// The members that reports name as culprits.
inline std::string culprits_of(const group_round_outcome& attempt)
{
    std::set<std::int32_t> named;
    for (const auto& [id, report] : attempt.reports)
        if (!report.ok && report.culprit >= 0) named.insert(report.culprit);
    return listed(named);
}

inline void log_outcome(const group_round_outcome& attempt)
{
    const auto& g = attempt.group;
    if (attempt.ok) {
        const auto without = [&] { return listed(attempt.left()); };
        log(log_level::info, "round succeeded",
            {"round", "attempt", "epoch", "members", "reports", "without"}, g.round, g.attempt,
            g.epoch, g.members.size(), attempt.reports.size(), without);
        return;
    }
    const auto culprits = [&] { return culprits_of(attempt); };
    log(log_level::warning, "round failed",
        {"round", "attempt", "epoch", "members", "reports", "culprits"}, g.round, g.attempt,
        g.epoch, g.members.size(), attempt.reports.size(), culprits);
}

/// Logs what the rules of a run have led to. Who comes and goes of its own accord is logged where
/// the reason is known.
inline void log_membership(const membership_event& e)
{
    if (const auto* called = std::get_if<group_called>(&e)) {
        const auto& g = called->group;
        log(log_level::info, "group called", {"round", "attempt", "epoch", "members"}, g.round,
            g.attempt, g.epoch, g.members.size());
    } else if (const auto* outcome = std::get_if<group_round_outcome>(&e)) {
        log_outcome(*outcome);
    } else if (const auto* outdated = std::get_if<member_state_outdated>(&e)) {
        log(log_level::debug, "member outdated", {"member", "round"}, outdated->id,
            outdated->now.round);
    } else if (const auto* held = std::get_if<group_held>(&e)) {
        log(log_level::info, "group held", {"members", "limit"}, held->members.size(), held->limit);
    } else if (const auto* went_on = std::get_if<group_hold_ended>(&e)) {
        log(log_level::info, "group hold ended", {"lost", "result"}, went_on->lost,
            went_on->in_vain ? "in vain" : "joined");
    } else if (const auto* adopted = std::get_if<state_adopted>(&e)) {
        log(log_level::warning, "later state adopted", {"round", "digest"}, adopted->round,
            adopted->digest);
    } else if (const auto* hidden = std::get_if<member_unreachable>(&e)) {
        log(log_level::warning, "member unreachable", {"member", "at"}, hidden->id,
            hidden->at.host);
    } else if (const auto* kept = std::get_if<member_kept>(&e)) {
        log(log_level::info, "member kept", {"member"}, kept->id);
    } else if (const auto* left = std::get_if<member_left>(&e); left && left->expelled) {
        log(log_level::warning, "member expelled", {"member", "why"}, left->id, left->reason);
    }
}

}  // namespace papilio::detail
