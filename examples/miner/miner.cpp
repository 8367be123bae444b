#include "miner.hpp"

#include <member/display.hpp>
#include <member/program.hpp>
#include <trainer/problem.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace papilio::example {

namespace {

std::size_t contributors(const wire::group& group)
{
    return static_cast<std::size_t>(std::ranges::count_if(
        group.members,
        [](const wire::group_member& m) { return m.role != wire::member_role::observer; }));
}

}  // namespace

void miner::run(std::stop_token stop)
{
    try {
        if (options_.alone)
            run_alone(stop);
        else
            run_together(stop);
    } catch (const std::system_error& failure) {
        // What was learnt until then is kept, unless that is what has diverged.
        if (failure.code() != errc::not_finite) training_.save(true);
        throw;
    }
    training_.finish();
}

void miner::run_alone(std::stop_token stop)
{
    while (!over()) {
        if (train(nullptr, stop) == trained::stopped) return;
        const state_snapshot& from = *training_.state();
        auto next = next_state(from);
        next->spans[0] = training_.update();
        advance(from, *next, options_.run.outer);
        auto digest = example::digest(*next);
        training_.adopt(std::move(next), std::move(digest));
        training_.record_round(nullptr, 1);
        training_.save(false);
    }
}

/// When the run is lost by a fault of others or of the network, joins it again as a new member.
void miner::run_together(std::stop_token stop)
{
    auto client = client_part(options_, training_.parameters());
    client.identity = training_.identity();
    while (!over() && !stop.stop_requested()) {
        bool joined = false;
        try {
            run_client run(background_, client, stop);
            joined = true;
            training_.display().note(fmt::format("joined the run '{}' at {} as member {}",
                                                 options_.run.name, options_.rendezvous,
                                                 run.joined().id));
            stay(run, stop);
            return;
        } catch (const std::system_error& failure) {
            if (failure.code() == std::errc::operation_canceled) return;
            ended_ = failure.code() == errc::run_over;
            if (ended_)
                training_.display().note("the run is over");
            else if (may_pass(failure, joined))
                wait_to_join(failure, joined, stop);
            else
                throw;
        }
    }
}

/// Takes part until the run ends or `stop` is requested, which ends any wait. Leaves in good order.
void miner::stay(run_client& run, std::stop_token stop)
{
    try {
        take_part(run, stop);
    } catch (const std::system_error& failure) {
        if (failure.code() != std::errc::operation_canceled) throw;
    }
    run.leave();
}

/// Whether the rendezvous is away, which it may be at any time: before this miner has joined, and
/// after that as well.
static bool is_away(const std::error_code& code)
{
    return code == std::errc::resource_unavailable_try_again || code == errc::timed_out ||
           code == errc::disconnected || code == errc::silent;
}

/// Whether to try again. Faults of others while the rendezvous is there may pass a few times in a
/// row.
bool miner::may_pass(const std::system_error& failure, bool joined)
{
    if (joined && dynamic_cast<const problem*>(&failure)) return false;
    if (is_away(failure.code())) return true;
    return joined && failure.code().category() == category() && ++setbacks_ <= 5;
}

/// Throws `gave_up` when this miner has waited for as long as it may.
void miner::wait_to_join(const std::system_error& failure, bool joined, std::stop_token stop)
{
    const std::string why = (joined ? "lost the run: " : "") + sentence(failure);
    if (joined || !retries_.any())
        training_.display().warn(
            fmt::format("{}; trying again for {}", why, span_of(std::round(options_.patience))));
    if (joined) training_.save(true);
    if (!retries_.wait(std::chrono::duration<double>(options_.patience), stop))
        throw gave_up(failure.code(), failure.what());
}

void miner::take_part(run_client& run, std::stop_token stop)
{
    catch_up(run, run.joined().now);
    was_in_run_ = true;
    retries_.reset();
    while (!over()) {
        const trained how = train(&run, stop);
        if (how == trained::stopped) return;
        if (how == trained::enough) {
            synchronise(run);
        } else {
            const auto news = run.await_group();  // throws if the run is lost or over
            catch_up(run, std::get<wire::state_outdated>(news).now);
        }
        training_.save(false);
    }
}

miner::trained miner::train(run_client* run, std::stop_token stop)
{
    closing_ = {};
    while (training_.steps_until_round() > 0) {
        if (stop.stop_requested()) return trained::stopped;
        if (run != nullptr && run->has_news()) return trained::news;
        if (run != nullptr && must_be_ready(*run)) break;
        training_.step();
    }
    return trained::enough;
}

/// Whether the others would go on without this miner if it took another step.
bool miner::must_be_ready(run_client& run)
{
    if (training_.steps_in_round() == 0) return false;
    if (closing_ == clock::time_point{}) {
        const auto ms = run.closing_in_ms();
        if (ms == 0) return false;
        closing_ = clock::now() + std::chrono::milliseconds(ms);
    }
    const std::chrono::duration<double> margin(training_.display().seconds_per_step() + 0.5);
    return clock::now() + margin > closing_;
}

void miner::synchronise(run_client& run)
{
    constexpr int attempts = 3;
    training_.update();
    for (int i = 0; i < attempts; ++i) {
        run.report_round_ready(training_.readiness());
        if (!run.wait_for_group(std::chrono::seconds(2)))
            training_.display().waiting(fmt::format("ready for round {}, waiting for the others",
                                                    training_.state()->round + 1));
        const auto found = run.await_group();
        if (const auto* behind = std::get_if<wire::state_outdated>(&found))
            return catch_up(run, behind->now);
        const bool ended = average(run, std::get<wire::group>(found));
        if (ended) return;
    }
    throw std::system_error(errc::peer_failed, "three attempts at a round have failed");
}

/// Makes one attempt at a round. False: it failed, and this miner's state is still the run's.
bool miner::average(run_client& run, const wire::group& group)
{
    const state_snapshot& from = *training_.state();
    auto next = next_state(from);
    training_.residuals().rollback();  // of an attempt that failed before
    const average_result how = run.average_in(group, options_.run.codec, training_.residuals(),
                                              training_.last_update(), next->spans[0]);
    wire::round_report report;
    report.round = group.round;
    report.attempt = group.attempt;
    report.ok = how.ok;
    if (how.ok) {
        advance(from, *next, options_.run.outer);
        report.digest = example::digest(*next);
        report.bytes_sent = how.among_voters.sent;
        report.bytes_received = how.among_voters.received;
    }
    report.seconds = how.seconds;
    report.culprit = how.culprit;
    const std::string after = report.digest;
    const wire::round_outcome outcome = run.report_round(std::move(report));
    if (!how.ok)
        training_.display().warn(fmt::format("round {} failed: {}", group.round + 1, how.why));
    if (!outcome.ok) return false;
    if (outcome.yours) {
        training_.residuals().commit();
        training_.adopt(std::move(next), after);
        run.publish(training_.state());
        training_.record_round(&how, contributors(group));
        setbacks_ = 0;
    } else {
        catch_up(run, outcome.now);
    }
    return true;
}

bool miner::over() const
{
    return ended_ || (options_.rounds != 0 && training_.state()->round >= options_.rounds);
}

}  // namespace papilio::example
