#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/swarm/group_policy.hpp>
#include <papilio/swarm/member_transitions.hpp>
#include <papilio/swarm/membership.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

// How groups are called, and what their rounds come to. Which state is the run's:
// membership_state.hpp.
namespace papilio::inline PAPILIO_MODE {

namespace detail {
/// As messages tell it; longer ones as the longest that they can.
inline std::uint32_t whole_ms(duration d)
{
    constexpr duration longest = std::chrono::milliseconds(~std::uint32_t{});
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::min(d, longest));
    return static_cast<std::uint32_t>(ms.count());
}
}  // namespace detail

PAPILIO_DECL membership::membership(run_description run, membership_options o)
    : roster_(run, o),
      progress_(run.round, run.digest),
      options_(o),
      hold_(o.fetch_hold),
      offered_(run.offered)
{
    if (!run.settled_by.empty()) resuming_.emplace(std::move(run.settled_by), o.resume_wait);
}

PAPILIO_DECL std::uint16_t membership::admit_host(const wire::endpoint& at)
{
    roster_.admit_host(at);
    events_.push_back(member_joined{0});
    return 0;
}

/// No id of the current group is given again before its round has ended.
PAPILIO_DECL std::variant<wire::joined, wire::refused> membership::admit(const wire::join& request,
                                                                         const std::string& from)
{
    std::vector<std::uint16_t> reserved;
    if (attempt_)
        for (const auto& m : attempt_->group().members) reserved.push_back(m.id);
    auto result = roster_.admit(request, from, reserved);
    if (auto* refused = std::get_if<wire::refused>(&result)) return std::move(*refused);
    const auto id = std::get<std::uint16_t>(result);
    events_.push_back(member_joined{id});
    note_unreachable();
    return wire::joined{id, {}, status_for(id)};
}

PAPILIO_DECL void membership::announce(std::uint16_t id, const wire::endpoint& at, time_point now,
                                       const std::string& from)
{
    roster_.announce(id, at, from);
    note_unreachable();
    advance(now);  // a group may have waited for one that can own a part
}

PAPILIO_DECL void membership::note_unreachable()
{
    for (const auto id : roster_.newly_unreachable())
        events_.push_back(member_unreachable{id, members().at(id).at});
}

PAPILIO_DECL void membership::report_round_ready(std::uint16_t id, const wire::round_ready& r,
                                                 time_point now)
{
    member& m = roster_.find(id);
    if (check_state(m, r.round, r.digest, now)) {
        if (m.state != member_state::ready) m.ready_since = now;
        m.state = member_state::ready;
        m.progress = r;
    } else if (m.claim) {
        m.claim->ready = true;
        m.ready_since = now;
        m.progress = r;
    }
    advance(now);
}

PAPILIO_DECL void membership::report_round(std::uint16_t id, const wire::round_report& d,
                                           time_point now)
{
    member& m = roster_.find(id);
    if (d.ok && d.digest.empty())
        throw std::system_error(errc::bad_message,
                                "a report of success must hold the digest of the new state");
    if (!m.report_due())
        throw std::system_error(errc::bad_message,
                                "no report of member " + std::to_string(id) + " is due");
    if (m.state == member_state::averaging) {
        attempt_->add(id, d);
        m.state = member_state::reported;
    } else {
        send_outcome(m, d);
    }
    advance(now);
}

PAPILIO_DECL void membership::send_outcome(member& m, const wire::round_report& report)
{
    auto outcome = progress_.outcome_of(report);
    detail::finish_report(m, outcome);
    outcome.now = status_for(m.id);
    events_.push_back(member_round_outcome{m.id, std::move(outcome)});
}

PAPILIO_DECL void membership::report_leaving(std::uint16_t id, time_point now)
{
    member& m = roster_.find(id);
    const bool kept = id != 0 && !m.in_group() && !m.report_late() && roster_.is_last_donor(m);
    if (!kept) return leave(id, "it left", now);
    m.leaving = true;
    m.state = member_state::training;
    events_.push_back(member_kept{id});
    advance(now);
}

/// Lets members go that have stayed for others which are not behind any longer.
PAPILIO_DECL void membership::release_leaving()
{
    std::vector<std::uint16_t> free;
    for (const auto& [id, m] : members())
        if (m.leaving && !roster_.is_last_donor(m)) free.push_back(id);
    for (const auto id : free) remove(id, {id, {}, "it left"});
}

PAPILIO_DECL void membership::leave(std::uint16_t id, const std::string& reason, time_point now)
{
    remove(id, {id, {}, reason});
    advance(now);
}

PAPILIO_DECL void membership::expel(std::uint16_t id, const wire::refused& why, time_point now)
{
    remove(id, {id, {}, why.reason, true, why.kind});
    advance(now);
}

PAPILIO_DECL void membership::remove(std::uint16_t id, member_left event)
{
    auto& members = roster_.members();
    const auto found = members.find(id);
    if (found == members.end()) return;
    event.name = found->second.name;
    events_.push_back(std::move(event));
    members.erase(found);
    progress_.forget(id);
}

PAPILIO_DECL void membership::call(const std::vector<std::uint16_t>& candidates, time_point now)
{
    const auto choice = detail::choose_group(members(), candidates, options_.max_group);
    auto group = progress_.next_group(detail::whole_ms(options_.round_timeout));
    group.members = detail::start_group(roster_.members(), choice);
    attempt_.emplace(group, later(later(now, options_.round_timeout), options_.report_grace));
    events_.push_back(group_called{std::move(group)});
}

/// Voters whose reports the attempt waits for: those that are there and have not reported. Nobody
/// waits for members without which most of the group went on.
PAPILIO_DECL std::vector<std::uint16_t> membership::awaited_reports() const
{
    auto ids = attempt_->missing(members());
    const auto digest = attempt_->agreed_digest();
    std::erase_if(ids, [&](std::uint16_t id) { return attempt_->went_on_without(id, digest); });
    return ids;
}

/// Ends the current attempt. Voters whose reports were awaited in vain, and members that most of
/// the group accuses, are expelled after the others have their outcome.
PAPILIO_DECL void membership::end_attempt(time_point now)
{
    const auto digest = attempt_->agreed_digest();
    const auto missing = awaited_reports();
    const auto reports = attempt_->reports();
    const bool ok = !digest.empty();
    events_.push_back(group_round_outcome{attempt_->group(), ok, digest, reports});
    std::vector<std::uint16_t> guilty;
    if (ok) {
        progress_.succeed(attempt_->group(), digest);
        settled_ = true;
        for (const auto id : detail::finish_success(roster_.members(), *attempt_, digest, offered_))
            events_.push_back(member_state_outdated{id, status_for(id)});
    } else {
        detail::finish_failure(roster_.members());
        guilty = progress_.fail(*attempt_, members());
    }
    attempt_.reset();
    for (const auto& [id, report] : reports)
        if (members().contains(id)) send_outcome(roster_.find(id), report);
    for (const auto id : missing)
        remove(id, {id, {}, "it did not report the round's result in time", true});
    for (const auto id : guilty)
        remove(id, {id, {}, "more than half of its group found it at fault", true});
    advance(now);
}

/// Tells members that still train, once in a round, when the group will be called without them.
PAPILIO_DECL void membership::warn(time_point due, time_point now)
{
    const auto left_ms = detail::whole_ms(due - now);
    for (const auto id : detail::warn_training(roster_.members()))
        events_.push_back(member_warned{id, {progress_.round(), left_ms}});
}

/// Whether the group that is due waits for members that fetch the state.
PAPILIO_DECL bool membership::holds_group(time_point now)
{
    if (!hold_.active()) {
        if (!hold_.begin(roster_.members(), progress_.round(), now)) return false;
        events_.push_back(group_held{hold_.members(), options_.fetch_hold});
        return true;
    }
    if (!hold_.over(members(), now)) {
        warn(std::min(hold_.until(), later(now, options_.group_wait)), now);
        return true;
    }
    const auto lost = hold_.lasted(now);
    events_.push_back(group_hold_ended{lost, hold_.end(members())});
    return false;
}

/// Ends the current attempt, or calls the next group, when it is time.
PAPILIO_DECL void membership::advance(time_point now)
{
    release_leaving();
    if (resuming_) {
        if (!resuming_->over(now)) return;
        end_resumption();
    }
    if (attempt_) {
        const bool over = now >= attempt_->report_deadline();
        if (over || awaited_reports().empty()) end_attempt(now);
        return;
    }
    if (had_all_rounds()) return;
    const auto ids = detail::group_candidates(members(), progress_.excluded());
    const auto due = detail::group_due(members(), ids, progress_.excluded(), options_);
    if (!due) return;
    if (*due > now)
        warn(*due, now);
    else if (!holds_group(now))
        call(ids, now);
}

PAPILIO_DECL time_point membership::next_tick() const
{
    if (resuming_) return resuming_->over_at();
    if (attempt_) return attempt_->report_deadline();
    if (had_all_rounds()) return time_point::max();
    const auto ids = detail::group_candidates(members(), progress_.excluded());
    const auto due = detail::group_due(members(), ids, progress_.excluded(), options_);
    if (!due) return time_point::max();
    return hold_.active() ? std::max(*due, hold_.until()) : *due;
}

}  // namespace papilio
