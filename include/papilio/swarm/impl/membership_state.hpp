#pragma once

// Which state is the run's, and who holds it.

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/swarm/member_transitions.hpp>
#include <papilio/swarm/membership.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL void membership::say_outdated(std::uint16_t id)
{
    events_.push_back(member_state_outdated{id, status_for(id)});
}

/// Whether the member says that it holds a later state than the run's, and may be right: then it
/// waits until the others of the last settled group have been heard. When most of them hold that
/// state, it is the run's.
PAPILIO_DECL bool membership::claims_later_state(member& m, std::uint32_t round,
                                                 const std::string& digest, time_point now)
{
    m.claim.reset();
    if (!resuming_) return false;
    if (m.id != 0) resuming_->note(m.identity, round, digest, now);  // the host knows of no more
    const auto most = resuming_->of_majority();
    if (most && most->first > progress_.round()) adopt_later_state(*most);
    if (round <= progress_.round()) return false;
    m.claim = {round, digest};
    return true;
}

/// Whether the state that the member holds becomes the run's, which only members hold.
PAPILIO_DECL bool membership::takes_offer(const member& m, std::uint32_t round,
                                          const std::string& digest, time_point now)
{
    if (!offered_ || attempt_ || digest.empty() || m.id == 0) return false;
    if (progress_.digest().empty()) return true;
    if (progress_.is_current(round, digest)) {
        orphaned_.reset();
        return false;
    }
    if (!settled_ && round > progress_.round()) return true;
    if (std::ranges::any_of(
            members(), [&](const auto& e) { return e.first != m.id && e.second.up_to_date(); })) {
        orphaned_.reset();
        return false;
    }
    if (!orphaned_) orphaned_ = now;
    return round >= progress_.round() || now >= later(*orphaned_, options_.resume_wait);
}

/// All others are behind it, and learn of it.
PAPILIO_DECL void membership::adopt_offer(const member& m, std::uint32_t round,
                                          const std::string& digest)
{
    progress_.adopt(round, digest);
    settled_ = false;
    orphaned_.reset();
    hold_.begin_anew();
    events_.push_back(state_adopted{round, digest});
    for (auto& [id, other] : roster_.members()) {
        if (id == m.id || !other.up_to_date()) continue;
        other.state = other.report_late() ? member_state::late_outdated : member_state::outdated;
        say_outdated(id);
    }
}

/// Whoever held what was the run's state until now is behind, and learns of it when the resumption
/// ends: by then it is known who can give the later one.
PAPILIO_DECL void membership::adopt_later_state(const detail::resumption::held_state& state)
{
    detail::fall_behind(roster_.members(), {progress_.round(), progress_.digest()});
    progress_.adopt(state.first, state.second);
    events_.push_back(state_adopted{state.first, state.second});
}

/// From now on groups are called. Whoever has said meanwhile that it holds another state than the
/// run's learns that it does not.
PAPILIO_DECL void membership::end_resumption()
{
    resuming_.reset();
    const auto is_current = [&](const auto& claim) {
        return progress_.is_current(claim.round, claim.digest);
    };
    for (const auto id : detail::settle_claims(roster_.members(), is_current)) say_outdated(id);
}

/// Whether the state that the member holds is the run's. If not, the member becomes outdated.
PAPILIO_DECL bool membership::check_state(member& m, std::uint32_t round, const std::string& digest,
                                          time_point now)
{
    if (m.in_group())
        throw std::system_error(errc::bad_message,
                                "member " + std::to_string(m.id) +
                                    " must wait for the outcome of its group's round first");
    if (m.fetch.active) m.fetch.took = now - m.fetch.since;
    m.fetch.active = false;
    if (takes_offer(m, round, digest, now)) adopt_offer(m, round, digest);
    const bool later = claims_later_state(m, round, digest, now);
    if (progress_.is_current(round, digest)) return true;
    m.state = member_state::outdated;
    if (!later) say_outdated(m.id);
    return false;
}

PAPILIO_DECL void membership::report_state_fetching(std::uint16_t id, const wire::state_fetching& f,
                                                    time_point now)
{
    member& m = roster_.find(id);
    if (m.in_group() || m.report_late())
        throw std::system_error(errc::bad_message,
                                "member " + std::to_string(id) +
                                    " must wait for the outcome of its group's round first");
    m.state = member_state::outdated;
    m.fetch.active = true;
    m.fetch.round = f.round;
    m.fetch.since = now;
    advance(now);
}

PAPILIO_DECL void membership::report_state_held(std::uint16_t id, const wire::state_held& h,
                                                time_point now)
{
    member& m = roster_.find(id);
    if (check_state(m, h.round, h.digest, now)) {
        m.state = member_state::training;
        if (offered_) say_outdated(id);  // which tells it that it is not
    }
    advance(now);
}

}  // namespace papilio
