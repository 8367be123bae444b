#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/swarm/group_policy.hpp>
#include <papilio/swarm/member.hpp>
#include <papilio/swarm/member_transitions.hpp>
#include <papilio/swarm/membership_events.hpp>
#include <papilio/swarm/roster.hpp>
#include <papilio/swarm/round_attempt.hpp>
#include <papilio/swarm/run_progress.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// The state machine of a run: its members, and the group that averages next. It has neither clock
/// nor sockets: the caller reports messages and the time, and acts on the events that result. A
/// member keeps its id until it leaves, and no id is given twice: a run accepts `wire::max_members`
/// joins in all, and then its host must start again.
///
/// The number of rounds done identifies the run's state. A member is up to date when it holds the
/// state after the last of them. A group is called when every up-to-date member is ready and every
/// observer of the last group has reported, or `group_wait` after the first member became ready; in
/// either case with at least `min_group` contributors. When more than `max_group` are ready, they
/// take turns: members skipped most often go first.
///
/// A round succeeds when more than half of its voters report the same digest. Otherwise it is
/// called again, under the next attempt and epoch, as soon as members are ready again. No single
/// member expels another: more than half of a group must name it as the culprit. After three failed
/// attempts at a round, further attempts leave out the member named most often.
class membership {
public:
    /// Throws `errc::bad_argument` for an option out of range.
    membership(run_description run, membership_options o)
        : roster_(run, o), progress_(run.round, run.digest), options_(o)
    {
    }

    /// Admits the program that runs the rendezvous, as an observer with id 0.
    std::uint16_t admit_host(const wire::endpoint& at);

    /// Admits a member, or gives the reason not to. The caller fills in `joined::host`.
    std::variant<wire::joined, wire::refused> admit(const wire::join& request);

    /// Messages of a member. These throw `errc::bad_message` when no honest member would send the
    /// message now; `announce` throws `errc::refused` when another member has that address.
    void announce(std::uint16_t id, const wire::endpoint& at) { roster_.announce(id, at); }
    void holding(std::uint16_t id, const wire::state_held& h, time_point now);
    void ready(std::uint16_t id, const wire::round_ready& r, time_point now);
    void done(std::uint16_t id, const wire::round_report& d, time_point now);

    void leave(std::uint16_t id, const std::string& reason, bool expelled, time_point now);

    /// Handles deadlines that have passed.
    void tick(time_point now) { advance(now); }

    /// The next deadline; `max()`: there is none before the next message.
    time_point next_tick() const;

    /// The events since the last call.
    std::vector<membership_event> take_events() { return std::exchange(events_, {}); }

    /// The run's state, and the donors that member `id` should ask for it.
    wire::run_status status_for(std::uint16_t id) const
    {
        return {progress_.round(), progress_.digest(), roster_.donors_for(id)};
    }

    std::uint32_t round() const noexcept { return progress_.round(); }
    const member_map& members() const noexcept { return roster_.members(); }

    /// The group whose reports are due; null between groups.
    const wire::group* current_group() const noexcept
    {
        return attempt_ ? &attempt_->group() : nullptr;
    }

private:
    bool check_state(member& m, std::uint32_t round, const std::string& digest);
    void call(const std::vector<std::uint16_t>& candidates, time_point now);
    void settle(time_point now);
    void send_outcome(member& m, const wire::round_report& report);
    void remove(std::uint16_t id, const std::string& reason, bool expelled);
    void warn(time_point due, time_point now);
    void advance(time_point now);

    detail::roster roster_;
    detail::run_progress progress_;
    membership_options options_;
    std::optional<detail::round_attempt> attempt_;
    std::vector<membership_event> events_;
};

inline std::uint16_t membership::admit_host(const wire::endpoint& at)
{
    roster_.admit_host(at);
    events_.push_back(member_joined{0});
    return 0;
}

inline std::variant<wire::joined, wire::refused> membership::admit(const wire::join& request)
{
    auto result = roster_.admit(request);
    if (auto* refused = std::get_if<wire::refused>(&result)) return std::move(*refused);
    const auto id = std::get<std::uint16_t>(result);
    events_.push_back(member_joined{id});
    return wire::joined{id, {}, status_for(id)};
}

/// Whether the state that the member holds is the run's. If not, the member becomes outdated.
inline bool membership::check_state(member& m, std::uint32_t round, const std::string& digest)
{
    if (m.in_group())
        throw std::system_error(errc::bad_message,
                                "member " + std::to_string(m.id) +
                                    " must wait for the outcome of its group's round first");
    if (progress_.is_current(round, digest)) return true;
    m.state = member_state::outdated;
    events_.push_back(member_outdated{m.id, status_for(m.id)});
    return false;
}

inline void membership::holding(std::uint16_t id, const wire::state_held& h, time_point now)
{
    member& m = roster_.find(id);
    if (check_state(m, h.round, h.digest)) m.state = member_state::training;
    advance(now);
}

inline void membership::ready(std::uint16_t id, const wire::round_ready& r, time_point now)
{
    member& m = roster_.find(id);
    if (check_state(m, r.round, r.digest)) {
        if (m.state != member_state::ready) m.ready_since = now;
        m.state = member_state::ready;
        m.progress = r;
    }
    advance(now);
}

inline void membership::done(std::uint16_t id, const wire::round_report& d, time_point now)
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

inline void membership::send_outcome(member& m, const wire::round_report& report)
{
    auto outcome = progress_.outcome_of(report);
    detail::finish_report(m, outcome);
    outcome.now = status_for(m.id);
    events_.push_back(member_settled{m.id, std::move(outcome)});
}

inline void membership::leave(std::uint16_t id, const std::string& reason, bool expelled,
                              time_point now)
{
    remove(id, reason, expelled);
    advance(now);
}

inline void membership::remove(std::uint16_t id, const std::string& reason, bool expelled)
{
    auto& members = roster_.members();
    const auto found = members.find(id);
    if (found == members.end()) return;
    events_.push_back(member_left{id, found->second.name, reason, expelled});
    members.erase(found);
    progress_.forget(id);
}

inline void membership::call(const std::vector<std::uint16_t>& candidates, time_point now)
{
    const auto choice = detail::choose_group(members(), candidates, options_.max_group);
    const auto limit = std::chrono::ceil<std::chrono::milliseconds>(options_.round_timeout);
    auto group = progress_.next_group(static_cast<std::uint32_t>(limit.count()));
    group.members = detail::start_group(roster_.members(), choice);
    attempt_.emplace(group, now + options_.round_timeout + options_.report_grace);
    events_.push_back(group_called{std::move(group)});
}

/// Ends the current attempt. Voters that have not reported, and members that most of the group
/// accuses, are expelled after the others have their outcome.
inline void membership::settle(time_point now)
{
    const auto digest = attempt_->agreed_digest();
    const auto missing = attempt_->missing(members());
    const auto reports = attempt_->reports();
    const bool ok = !digest.empty();
    events_.push_back(group_settled{attempt_->group(), ok, digest, reports});
    std::vector<std::uint16_t> guilty;
    if (ok) {
        progress_.succeed(attempt_->group(), digest);
        for (const auto id : detail::finish_success(roster_.members(), *attempt_, digest))
            events_.push_back(member_outdated{id, status_for(id)});
    } else {
        detail::finish_failure(roster_.members());
        guilty = progress_.fail(*attempt_, members());
    }
    attempt_.reset();
    for (const auto& [id, report] : reports)
        if (members().contains(id)) send_outcome(roster_.find(id), report);
    for (const auto id : missing) remove(id, "it did not report the round's result in time", true);
    for (const auto id : guilty) remove(id, "more than half of its group found it at fault", true);
    advance(now);
}

/// Tells members that still train, once in a round, when the group will be called without them.
inline void membership::warn(time_point due, time_point now)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - now);
    const auto left_ms = static_cast<std::uint32_t>(left.count());
    for (const auto id : detail::warn_training(roster_.members()))
        events_.push_back(member_warned{id, {progress_.round(), left_ms}});
}

/// Settles the current attempt, or calls the next group, when it is time.
inline void membership::advance(time_point now)
{
    if (attempt_) {
        const bool over = now >= attempt_->report_deadline();
        if (over || attempt_->missing(members()).empty()) settle(now);
        return;
    }
    const auto ids = detail::group_candidates(members(), progress_.excluded());
    const auto due = detail::group_due(members(), ids, progress_.excluded(), options_);
    if (!due) return;
    if (*due <= now)
        call(ids, now);
    else
        warn(*due, now);
}

inline time_point membership::next_tick() const
{
    if (attempt_) return attempt_->report_deadline();
    const auto ids = detail::group_candidates(members(), progress_.excluded());
    return detail::group_due(members(), ids, progress_.excluded(), options_)
        .value_or(time_point::max());
}

}  // namespace papilio
