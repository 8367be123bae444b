#pragma once

#include <papilio/base/config.hpp>
#include <papilio/swarm/fetch_hold.hpp>
#include <papilio/swarm/member.hpp>
#include <papilio/swarm/membership_events.hpp>
#include <papilio/swarm/resumption.hpp>
#include <papilio/swarm/roster.hpp>
#include <papilio/swarm/round_attempt.hpp>
#include <papilio/swarm/run_progress.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// The state machine of a run: its members, and the group that averages next. It has neither clock
/// nor sockets: the caller reports messages and the time, and acts on the events that result. A
/// member keeps its id until it leaves; another one gets it only when all others have been given.
///
/// The number of rounds done identifies the run's state. A member is up to date when it holds the
/// state after the last of them. A group is called when every up-to-date member is ready and every
/// observer of the last group has reported, or `group_wait` after the first member became ready; in
/// either case with at least `min_group` contributors, of which one at least can own a part. When
/// more than `max_group` are ready, they take turns: members skipped most often go first. A group
/// that is due waits up to `fetch_hold` for members that fetch the state: see `fetch_hold`.
///
/// A round succeeds when more than half of its voters report the same digest; then no report of
/// members is awaited of which more than half say that they went on without them. Otherwise it is
/// called again, under the next attempt and epoch, as soon as members are ready again. No single
/// member expels another: more than half of a group must name it as the culprit. After three failed
/// attempts at a round, further attempts leave out the member named most often.
class membership {
public:
    /// Throws `errc::bad_argument` for an option out of range.
    membership(run_description run, membership_options o);

    /// Admits the program that runs the rendezvous, as an observer with id 0.
    std::uint16_t admit_host(const wire::endpoint& at);

    /// Admits a member, or gives the reason not to. The caller fills in `joined::host`. `from` is
    /// the host that the member's channel comes from, if it is known.
    std::variant<wire::joined, wire::refused> admit(const wire::join& request,
                                                    const std::string& from = {});

    /// Messages of a member. These throw `errc::bad_message` when no honest member would send the
    /// message now; `announce` throws `errc::refused` when another member has that address.
    void announce(std::uint16_t id, const wire::endpoint& at, time_point now,
                  const std::string& from = {});
    void report_state_fetching(std::uint16_t id, const wire::state_fetching& f, time_point now);
    void report_state_held(std::uint16_t id, const wire::state_held& h, time_point now);
    void report_round_ready(std::uint16_t id, const wire::round_ready& r, time_point now);
    void report_round(std::uint16_t id, const wire::round_report& d, time_point now);

    /// The member wants to leave. It is in no further group, and has left at once, unless it is the
    /// last that can give the state to members that are behind: then it leaves when none is.
    void report_leaving(std::uint16_t id, time_point now);

    /// The member has left, or its channel is lost.
    void leave(std::uint16_t id, const std::string& reason, time_point now);

    /// Ends a membership. The member is told why.
    void expel(std::uint16_t id, const wire::refused& why, time_point now);

    /// Handles deadlines that have passed.
    void tick(time_point now) { advance(now); }

    /// The next deadline; `max()`: there is none before the next message.
    time_point next_tick() const;

    /// The events since the last call.
    std::vector<membership_event> take_events() { return std::exchange(events_, {}); }

    /// The run's state, and the donors that member `id` should ask for it.
    wire::run_status status_for(std::uint16_t id) const
    {
        return {progress_.round(), progress_.digest(), roster_.donors_for(id), {}};
    }

    std::uint32_t round() const noexcept { return progress_.round(); }
    /// Whether no further group is called: see `membership_options::rounds`.
    bool had_all_rounds() const noexcept
    {
        return options_.rounds != 0 && progress_.round() >= options_.rounds;
    }

    const member_map& members() const noexcept { return roster_.members(); }

private:
    bool check_state(member& m, std::uint32_t round, const std::string& digest, time_point now);
    bool claims_later_state(member& m, std::uint32_t round, const std::string& digest,
                            time_point now);
    bool takes_offer(const member& m, std::uint32_t round, const std::string& digest,
                     time_point now);
    void adopt_offer(const member& m, std::uint32_t round, const std::string& digest);
    void adopt_later_state(const detail::resumption::held_state& state);
    void end_resumption();
    void say_outdated(std::uint16_t id);
    void note_unreachable();
    bool holds_group(time_point now);
    void call(const std::vector<std::uint16_t>& candidates, time_point now);
    std::vector<std::uint16_t> awaited_reports() const;
    void end_attempt(time_point now);
    void send_outcome(member& m, const wire::round_report& report);
    void remove(std::uint16_t id, member_left event);
    void release_leaving();
    void warn(time_point due, time_point now);
    void advance(time_point now);

    detail::roster roster_;
    detail::run_progress progress_;
    membership_options options_;
    std::optional<detail::round_attempt> attempt_;
    std::optional<detail::resumption> resuming_;  // until the last settled group was heard
    detail::fetch_hold hold_;
    bool offered_ = false;                // members offer the state: see `run_description`
    bool settled_ = false;                // a round has ended since this host began
    std::optional<time_point> orphaned_;  // since when nobody holds the run's state
    std::vector<membership_event> events_;
};

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/swarm/impl/membership.hpp>
#include <papilio/swarm/impl/membership_state.hpp>
#endif
