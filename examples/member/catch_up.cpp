// How a member comes by the run's state.

#include "run_member.hpp"

#include "replay.hpp"

#include <trainer/problem.hpp>

#include <fmt/format.h>

#include <set>
#include <utility>

namespace papilio::example {

/// The run is behind this member. A validator that was restarted may have lost a few rounds. A run
/// that begins anew, or that this member never took part in, is another run.
void run_member::check_fallback(std::uint32_t to)
{
    if (to == 0 || !was_in_run_)
        throw problem(errc::mismatch,
                      fmt::format("the run has had {} rounds, this member {}: start the run's "
                                  "validator from its own checkpoint, or this member without one",
                                  to, work_.state()->round));
    work_.print(log_level::warning, fmt::format("the run has fallen back from round {} to {}",
                                                work_.state()->round, to));
}

bool run_member::holds(const wire::run_status& now) const
{
    return now.round == work_.state()->round &&
           (now.digest.empty() || now.digest == work_.digest());
}

/// A host that settles a round and is killed has told nobody of it. Then those who reported that
/// state are the only ones who have it.
bool run_member::is_reported(const wire::run_status& now) const
{
    return reported_ && now.round == reported_->state->round && now.digest == reported_->digest;
}

/// Where the run that this member joins is behind it, the journal of its host may have missed a
/// round. Then those who hold the later state are asked, and this member goes on from what it has
/// until the rendezvous says otherwise.
void run_member::enter(run_client& run)
{
    const auto& now = run.joined().now;
    if (now.round < work_.state()->round)
        tell_state(run);
    else
        catch_up(run, now);
}

void run_member::tell_state(run_client& run)
{
    run.publish(work_.state());
    run.report_state_held(work_.state()->round, work_.digest());
}

void run_member::catch_up(run_client& run, wire::run_status now)
{
    if (now.round < work_.state()->round) check_fallback(now.round);
    if (!holds(now)) {
        if (is_reported(now))
            adopt_reported(nullptr);
        else
            fetch(run, std::move(now));
    }
    was_in_run_ = true;
    tell_state(run);
}

/// Adopts the run's state. A donor whose state is later than that which was asked for is believed
/// once the rendezvous has named its digest, and not asked again where that is another. Where the
/// state that this member has is one of the run's, what it missed is enough, and comes sooner: a
/// member whose link needs many rounds for the whole state would otherwise never be in time.
void run_member::fetch(run_client& run, wire::run_status now)
{
    constexpr int tries = 5;
    std::set<std::uint16_t> liars;
    for (int overtaken = 0; overtaken < tries;) {
        std::erase_if(now.donors, [&](const wire::member_endpoint& donor) {
            return donor.at.port == 0 || liars.contains(donor.id);
        });
        run.report_state_fetching(now.round);
        auto given = replay(run, now);
        if (!given.state) given = fetch_any(run, now);
        auto digest = example::digest(*given.state);
        const auto round = given.state->round;
        if (round > now.round) now = ask_status(run);
        if (round == now.round && (now.digest.empty() || digest == now.digest)) {
            work_.adopt(std::move(given.state), std::move(digest));
            work_.record_fetch();
            return;
        }
        if (round < now.round)
            ++overtaken;
        else
            liars.insert(given.donor);
    }
    throw std::system_error(errc::peer_failed, "the run goes on faster than its state comes here");
}

/// The rendezvous answers a state that is not the run's by the run's status.
wire::run_status run_member::ask_status(run_client& run)
{
    run.report_state_held(work_.state()->round, work_.digest());
    const auto news = run.await_group();
    return std::get<wire::state_outdated>(news).now;
}

/// The state after the means that this member has missed; none if no donor gives them, or what they
/// lead to is not the run's state.
run_member::given_state run_member::replay(run_client& run, const wire::run_status& now)
{
    const auto from = work_.state();
    if (from->round == 0 || from->round >= now.round) return {};
    for (const auto& donor : now.donors) {
        try {
            auto s = replayed(from, run.fetch_means(donor, from->round), options_.outer);
            const bool current =
                s->round == now.round && (now.digest.empty() || example::digest(*s) == now.digest);
            if (!current && s->round <= now.round) continue;
            work_.print(log_level::info, fmt::format("replays rounds {} to {}, which it missed",
                                                     from->round + 1, s->round));
            return {std::move(s), donor.id};
        } catch (const std::system_error& failure) {
            if (failure.code() == std::errc::operation_canceled) throw;
            run.check();  // the next donor may have more, or else there is the whole state
        }
    }
    return {};
}

/// Fetches the state from the first donor whose state has the run's digest, or is a later one.
run_member::given_state run_member::fetch_any(run_client& run, const wire::run_status& now)
{
    std::string failures = "no member gave the state after round " + std::to_string(now.round);
    for (const auto& donor : now.donors) {
        try {
            auto s = std::make_shared<const state_snapshot>(run.fetch(donor, now.round));
            if (s->round > now.round || now.digest.empty() || example::digest(*s) == now.digest)
                return {std::move(s), donor.id};
            failures += fmt::format("; member {} gave a state with another digest", donor.id);
        } catch (const std::system_error& failure) {
            if (failure.code() == std::errc::operation_canceled) throw;
            run.check();  // donors of a run that is lost may be gone as well
            failures += fmt::format("; member {}: {}", donor.id, failure.what());
        }
    }
    // Without donors that can be dialled the run waits for one to come, and so does this member.
    const auto code = now.donors.empty()
                          ? std::make_error_code(std::errc::resource_unavailable_try_again)
                          : make_error_code(errc::peer_failed);
    throw std::system_error(code, failures);
}

}  // namespace papilio::example
