#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/resources.hpp>
#include <papilio/base/units.hpp>
#include <papilio/session/elastic_member.hpp>
#include <papilio/session/mean_bytes.hpp>
#include <papilio/session/problem.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

inline std::size_t contributors_in(const wire::group& group)
{
    return static_cast<std::size_t>(std::ranges::count_if(
        group.members,
        [](const wire::group_member& m) { return m.role != wire::member_role::observer; }));
}

/// What the run and people are told of members without which a round ended.
inline std::vector<std::uint16_t> ids_of(const std::vector<departed_member>& left)
{
    std::vector<std::uint16_t> ids;
    for (const auto& m : left)
        if (ids.size() < wire::max_left) ids.push_back(m.id);
    return ids;
}

inline std::string went_on(std::uint32_t round, const std::vector<departed_member>& left)
{
    std::string text = "round " + std::to_string(round) + " goes on without";
    for (const auto& m : left)
        text += std::string(&m == left.data() ? "" : ",") + " member " + std::to_string(m.id) +
                " (" + m.why + ")";
    return text;
}

/// Whether the rendezvous is away, or this machine has nothing left to reach it with, such as
/// descriptors. Both may be at any time: before this member has joined, and after that as well.
inline bool is_away(const std::error_code& code)
{
    return code == std::errc::resource_unavailable_try_again || code == errc::timed_out ||
           code == errc::disconnected || code == errc::silent || lacks_resources(code);
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL bool elastic_member::join(std::stop_token stop)
{
    stop_ = std::move(stop);
    while (!run_) {
        if (over() || stop_.stop_requested()) return false;
        bool joined = false;
        try {
            run_.emplace(background_, options_.client, stop_, abandon_);
            joined = true;
            work_.saw_join(id(), "joined the run '" + options_.client.mesh.run + "' at " +
                                     tcp::to_string(options_.client.rendezvous) + " as member " +
                                     std::to_string(id()));
            enter();
            retries_.reset();
        } catch (const std::system_error& failure) {
            if (!stays(failure, joined)) return false;
        }
    }
    return true;
}

/// After a failure by which the run is lost. True: it is worth another try, and the time for that
/// has come. False: stopped, or the run is over. Throws the failure where no try can mend it.
PAPILIO_DECL bool elastic_member::stays(const std::system_error& failure, bool joined)
{
    if (failure.code() == std::errc::operation_canceled) {
        if (!abandon_.stop_requested()) leave();
        run_.reset();
        return false;
    }
    run_.reset();
    ended_ = failure.code() == errc::run_over;
    if (ended_)
        work_.print(log_level::info, "the run is over");
    else if (may_pass(failure, joined))
        wait_to_join(failure, joined);
    else
        throw;
    return !ended_ && !stop_.stop_requested();
}

/// Whether to try again. Faults of others while the rendezvous is there may pass a few times in a
/// row.
PAPILIO_DECL bool elastic_member::may_pass(const std::system_error& failure, bool joined)
{
    if (joined && dynamic_cast<const problem*>(&failure)) return false;
    if (detail::is_away(failure.code())) return true;
    return joined && failure.code().category() == category() && ++setbacks_ <= 5;
}

/// Throws `gave_up` when this member has waited for as long as it may.
PAPILIO_DECL void elastic_member::wait_to_join(const std::system_error& failure, bool joined)
{
    const bool whole = dynamic_cast<const problem*>(&failure) != nullptr;
    const std::string why =
        (joined ? "lost the run: " : "") + (whole ? failure.what() : sentence(failure));
    const auto limit = std::chrono::round<std::chrono::seconds>(options_.patience);
    const std::string line = why + "; trying again for " + human_duration(limit);
    if (joined) {
        work_.saw(round_setback::run_lost, line);
        work_.save_for_later();
    } else if (!retries_.any()) {
        work_.print(log_level::warning, line);
    }
    if (!retries_.wait(options_.patience, stop_)) throw gave_up(failure.code(), failure.what());
}

PAPILIO_DECL round_end elastic_member::synchronise()
{
    ended_round_.reset();
    while (join(stop_)) {
        if (ended_round_) return *ended_round_;  // while it has joined again
        try {
            return average_round();
        } catch (const std::system_error& failure) {
            if (!stays(failure, true)) break;
        } catch (...) {
            run_.reset();  // it is the owner's failure: the others go on without this member
            throw;
        }
    }
    return round_end::stopped;
}

PAPILIO_DECL void elastic_member::follow()
{
    try {
        const auto news = run_->await_group();  // throws if the run is lost or over
        catch_up(std::get<wire::state_outdated>(news).now);
    } catch (const std::system_error& failure) {
        stays(failure, true);
    }
}

PAPILIO_DECL round_end elastic_member::average_round()
{
    constexpr int attempts = 3;
    for (int i = 0; i < attempts; ++i) {
        run_->report_round_ready(work_.readiness());
        if (!run_->wait_for_group(std::chrono::seconds(2)))
            work_.print_waiting("ready for round " + std::to_string(work_.state()->round + 1) +
                                ", waiting for the others");
        const auto found = run_->await_group();
        if (const auto* behind = std::get_if<wire::state_outdated>(&found)) {
            catch_up(behind->now);
            return ended_round_.value_or(round_end::replaced);
        }
        const bool ended = average(std::get<wire::group>(found));
        if (ended) return ended_round_.value_or(round_end::replaced);
    }
    throw std::system_error(errc::peer_failed,
                            "three attempts at a round have failed; the last: " + last_failure_);
}

/// Makes one attempt at a round. False: it failed, and this member's state is still the run's.
PAPILIO_DECL bool elastic_member::average(const wire::group& group)
{
    reported_.reset();
    was_in_run_ = true;
    auto next = work_.next_state(*work_.state());
    const auto mean = work_.place_for_mean(*next);
    work_.begin_attempt();
    const averaging_call call = [&](any_transport net, call_options o) {
        return work_.average(net, mean, o);
    };
    const average_result how = run_->average_in(group, call, mean.size());
    work_.saw_attempt(group, how, mean);
    wire::round_report told;
    told.round = group.round;
    told.attempt = group.attempt;
    auto written = make_state(how, next, told);
    if (!how.left.empty())
        work_.saw(round_setback::members_lost, detail::went_on(group.round + 1, how.left));
    if (how.ok)
        reported_ = {std::move(next), told.digest,
                     detail::contributors_in(group) - how.left.size()};
    const wire::round_outcome outcome = run_->report_round(std::move(told));
    last_failure_ = how.ok ? "members came to different states by the same mean: the step to the "
                             "next state must give the same bits on all of them"
                           : how.why;
    if (!how.ok)
        work_.saw(round_setback::attempt_failed,
                  "round " + std::to_string(group.round + 1) + " failed: " + how.why);
    if (!outcome.ok) return false;
    if (outcome.yours) {
        adopt_reported(&how);
        run_->publish(work_.state(), std::move(written));
        setbacks_ = 0;
    } else {
        catch_up(outcome.now);
    }
    return true;
}

/// Makes the state after the round, if the attempt was ok, and what others are told of it. Returns
/// the mean, written for members that will have missed it.
PAPILIO_DECL std::vector<std::byte> elastic_member::make_state(const average_result& how,
                                                               std::shared_ptr<state_snapshot>& s,
                                                               wire::round_report& told)
{
    std::vector<std::byte> written;
    told.ok = how.ok;
    told.seconds = how.seconds;
    told.culprit = how.culprit;
    told.left = detail::ids_of(how.left);
    if (!how.ok) return written;
    written = write_mean(work_.place_for_mean(*s), how.part_begins);
    work_.advance(*work_.state(), *s);
    told.digest = work_.digest_of(*s);
    told.bytes_sent = how.among_voters.sent;
    told.bytes_received = how.among_voters.received;
    return written;
}

/// What this member has reported is the run's state. `how` is null where it is told so by a later
/// host of the run.
PAPILIO_DECL void elastic_member::adopt_reported(const average_result* how)
{
    const reported_state mine = *std::exchange(reported_, std::nullopt);
    work_.settle();
    work_.adopt(mine.state, mine.digest);
    work_.record_round(how, mine.contributors);
    ended_round_ = round_end::averaged;
}

PAPILIO_DECL void elastic_member::leave(duration limit)
{
    if (run_) run_->leave(limit, abandon_.stop_requested() ? duration{} : options_.linger);
    run_.reset();
}

PAPILIO_DECL bool elastic_member::over() const
{
    return ended_ || (options_.rounds != 0 && work_.state()->round >= options_.rounds);
}

}  // namespace papilio
