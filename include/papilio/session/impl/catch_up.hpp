#pragma once

// How a member comes by the run's state.

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/session/elastic_member.hpp>
#include <papilio/session/mean_bytes.hpp>
#include <papilio/session/problem.hpp>

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL shared_state replayed(round_work& work, shared_state from,
                                   const std::vector<std::vector<std::byte>>& means)
{
    for (const auto& mean : means) {
        auto next = work.next_state(*from);
        read_mean(mean, work.place_for_mean(*next));
        work.advance(*from, *next);
        from = std::move(next);
    }
    return from;
}

/// The run is behind this member. A host that was restarted may have lost a few rounds. A run that
/// begins anew, or that this member never took part in, is another run.
PAPILIO_DECL void elastic_member::check_fallback(std::uint32_t to)
{
    const auto own = std::to_string(work_.state()->round);
    if (!options_.offers_state && (to == 0 || !was_in_run_))
        throw problem(errc::mismatch, "the run has had " + std::to_string(to) +
                                          " rounds, this member " + own + ": start the run's " +
                                          options_.client.host_called +
                                          " from its own checkpoint, or this member without one");
    work_.print(log_level::warning,
                "the run has fallen back from round " + own + " to " + std::to_string(to));
}

PAPILIO_DECL bool elastic_member::holds(const wire::run_status& now) const
{
    return now.round == work_.state()->round &&
           (now.digest.empty() || now.digest == work_.digest());
}

/// A host that settles a round and is killed has told nobody of it. Then those who reported that
/// state are the only ones who have it.
PAPILIO_DECL bool elastic_member::is_reported(const wire::run_status& now) const
{
    return reported_ && now.round == reported_->state->round && now.digest == reported_->digest;
}

/// Where the run that this member joins is behind it, the journal of its host may have missed a
/// round. Then those who hold the later state are asked, and this member goes on from what it has
/// until the rendezvous says otherwise.
PAPILIO_DECL void elastic_member::enter()
{
    const auto now = run_->joined().now;
    const bool behind = now.round < work_.state()->round;
    if (behind || (options_.offers_state && now.digest.empty()))
        tell_state();
    else
        catch_up(now);
    if (options_.offers_state) await_state();
}

/// Where members offer the first state, the rendezvous says whether it is this one's.
PAPILIO_DECL void elastic_member::await_state()
{
    constexpr auto limit = std::chrono::seconds(10);
    while (run_->await_state_known(limit) && run_->has_news()) {
        const auto news = run_->await_group();
        catch_up(std::get<wire::state_outdated>(news).now);
    }
    was_in_run_ = true;
}

/// Nobody gives the run's state. Offers this member's, which is the run's from then on if nobody
/// holds the other one any longer: true. Else waits a little, and gives the status by then.
PAPILIO_DECL bool elastic_member::offer_state(wire::run_status& now)
{
    tell_state();
    run_->await_state_known(std::chrono::seconds(10));
    if (!run_->has_news()) return true;
    const auto news = run_->await_group();
    now = std::get<wire::state_outdated>(news).now;
    if (now.donors.empty()) detail::pause(std::chrono::milliseconds(500), stop_);
    return false;
}

PAPILIO_DECL void elastic_member::tell_state()
{
    run_->publish(work_.state());
    run_->report_state_held(work_.state()->round, work_.digest());
}

PAPILIO_DECL void elastic_member::catch_up(wire::run_status now)
{
    if (now.round < work_.state()->round) check_fallback(now.round);
    if (!holds(now)) {
        if (is_reported(now))
            adopt_reported(nullptr);
        else
            fetch(std::move(now));
    }
    was_in_run_ = true;
    tell_state();
}

/// Adopts the run's state. A donor whose state is later than that which was asked for is believed
/// once the rendezvous has named its digest, and not asked again where that is another. Where the
/// state that this member has is one of the run's, what it missed is enough, and comes sooner: a
/// member whose link needs many rounds for the whole state would otherwise never be in time. For
/// the same reason it goes on from a state that the run has left behind while it came.
PAPILIO_DECL void elastic_member::fetch(wire::run_status now)
{
    constexpr int tries = 5;
    std::set<std::uint16_t> liars;
    shared_state from = work_.state();
    for (int overtaken = 0; overtaken < tries;) {
        std::erase_if(now.donors, [&](const wire::member_endpoint& donor) {
            return donor.at.port == 0 || liars.contains(donor.id);
        });
        if (options_.offers_state && now.donors.empty()) {
            if (offer_state(now)) return;
            continue;
        }
        run_->report_state_fetching(now.round);
        auto given = replay(from, now);
        if (!given.state) given = fetch_any(now);
        auto digest = work_.digest_of(*given.state);
        const auto round = given.state->round;
        if (round > now.round) now = ask_status(round, digest);
        if (round == now.round && (now.digest.empty() || digest == now.digest)) {
            work_.adopt(std::move(given.state), std::move(digest));
            work_.record_fetch();
            ended_round_ = round_end::replaced;
            return;
        }
        if (round > now.round) liars.insert(given.donor);
        if (round < now.round) from = std::move(given.state);
        if (round < now.round) ++overtaken;
    }
    throw std::system_error(errc::peer_failed, "the run goes on faster than its state comes here");
}

/// The run's status. Where hosts know the state, the rendezvous answers one that is not the run's
/// by it; where members offer it, it answers this one, which another has given. The run may be over
/// as soon as it has: everybody holds the state now.
PAPILIO_DECL wire::run_status elastic_member::ask_status(std::uint32_t round,
                                                         const std::string& digest)
{
    if (options_.offers_state) {
        run_->report_state_held(round, digest);
        run_->await_state_known(std::chrono::seconds(10));
        if (run_->holds_state_of_run() || !run_->has_news()) return {round, digest, {}, {}};
    } else {
        run_->report_state_held(work_.state()->round, work_.digest());
    }
    const auto news = run_->await_group();
    return std::get<wire::state_outdated>(news).now;
}

/// The state after the means that have followed `from`; none if no donor gives them, or what they
/// lead to is not the run's state.
PAPILIO_DECL elastic_member::given_state elastic_member::replay(const shared_state& from,
                                                                const wire::run_status& now)
{
    if (from->round == 0 || from->round >= now.round) return {};
    for (const auto& donor : now.donors) {
        try {
            auto s = replayed(work_, from, run_->fetch_means(donor, from->round));
            const bool current =
                s->round == now.round && (now.digest.empty() || work_.digest_of(*s) == now.digest);
            if (!current && s->round <= now.round) continue;
            work_.print(log_level::info, "replays rounds " + std::to_string(from->round + 1) +
                                             " to " + std::to_string(s->round) +
                                             ", which it missed");
            return {std::move(s), donor.id};
        } catch (const std::system_error& failure) {
            if (failure.code() == std::errc::operation_canceled) throw;
            run_->check();  // the next donor may have more, or else there is the whole state
        }
    }
    return {};
}

/// Fetches the state from the first donor whose state has the run's digest, or is a later one.
PAPILIO_DECL elastic_member::given_state elastic_member::fetch_any(const wire::run_status& now)
{
    std::string failures = "no member gave the state after round " + std::to_string(now.round);
    for (const auto& donor : now.donors) {
        try {
            auto s = std::make_shared<const state_snapshot>(run_->fetch(donor, now.round));
            if (s->round > now.round || now.digest.empty() || work_.digest_of(*s) == now.digest)
                return {std::move(s), donor.id};
            failures +=
                "; member " + std::to_string(donor.id) + " gave a state with another digest";
        } catch (const std::system_error& failure) {
            if (failure.code() == std::errc::operation_canceled) throw;
            run_->check();  // donors of a run that is lost may be gone as well
            failures += "; member " + std::to_string(donor.id) + ": " + failure.what();
        }
    }
    // Without donors that can be dialled the run waits for one to come, and so does this member.
    const auto code = now.donors.empty()
                          ? std::make_error_code(std::errc::resource_unavailable_try_again)
                          : make_error_code(errc::peer_failed);
    throw std::system_error(code, failures);
}

}  // namespace papilio
