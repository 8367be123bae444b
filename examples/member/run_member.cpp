#include "run_member.hpp"

#include "mean_bytes.hpp"

#include "display.hpp"
#include "program.hpp"

#include <trainer/problem.hpp>

#include <papilio/base/resources.hpp>

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

/// What the run and people are told of members without which a round ended.
std::vector<std::uint16_t> ids_of(const std::vector<departed_member>& left)
{
    std::vector<std::uint16_t> ids;
    for (const auto& m : left)
        if (ids.size() < wire::max_left) ids.push_back(m.id);
    return ids;
}

std::string went_on(std::uint32_t round, const std::vector<departed_member>& left)
{
    std::string text = fmt::format("round {} goes on without", round);
    for (const auto& m : left)
        text += fmt::format("{} member {} ({})", &m == left.data() ? "" : ",", m.id, m.why);
    return text;
}

/// Whether the rendezvous is away, or this machine has nothing left to reach it with, such as
/// descriptors. Both may be at any time: before this member has joined, and after that as well.
bool is_away(const std::error_code& code)
{
    return code == std::errc::resource_unavailable_try_again || code == errc::timed_out ||
           code == errc::disconnected || code == errc::silent ||
           papilio::detail::lacks_resources(code);
}

}  // namespace

/// When the run is lost by a fault of others or of the network, joins it again as a new member.
void run_member::run(std::stop_token stop)
{
    while (!over() && !stop.stop_requested()) {
        bool joined = false;
        try {
            run_client run(background_, options_.client, stop);
            joined = true;
            work_.print(
                log_level::info,
                fmt::format("joined the run '{}' at {} as member {}", options_.client.mesh.run,
                            tcp::to_string(options_.client.rendezvous), run.joined().id));
            stay(run, stop);
            return;
        } catch (const std::system_error& failure) {
            if (failure.code() == std::errc::operation_canceled) return;
            ended_ = failure.code() == errc::run_over;
            if (ended_)
                work_.print(log_level::info, "the run is over");
            else if (may_pass(failure, joined))
                wait_to_join(failure, joined, stop);
            else
                throw;
        }
    }
}

/// Takes part until the run ends or `stop` is requested, which ends any wait. Leaves in good order.
void run_member::stay(run_client& run, std::stop_token stop)
{
    try {
        take_part(run, stop);
    } catch (const std::system_error& failure) {
        if (failure.code() != std::errc::operation_canceled) throw;
    }
    run.leave();
}

/// Whether to try again. Faults of others while the rendezvous is there may pass a few times in a
/// row.
bool run_member::may_pass(const std::system_error& failure, bool joined)
{
    if (joined && dynamic_cast<const problem*>(&failure)) return false;
    if (is_away(failure.code())) return true;
    return joined && failure.code().category() == category() && ++setbacks_ <= 5;
}

/// Throws `gave_up` when this member has waited for as long as it may.
void run_member::wait_to_join(const std::system_error& failure, bool joined, std::stop_token stop)
{
    const bool whole = dynamic_cast<const problem*>(&failure) != nullptr;
    const std::string why =
        (joined ? "lost the run: " : "") + (whole ? failure.what() : sentence(failure));
    if (joined || !retries_.any())
        work_.print(log_level::warning, fmt::format("{}; trying again for {}", why,
                                                    span_of(std::round(options_.patience))));
    if (joined) work_.save(true);
    if (!retries_.wait(std::chrono::duration<double>(options_.patience), stop))
        throw gave_up(failure.code(), failure.what());
}

void run_member::take_part(run_client& run, std::stop_token stop)
{
    enter(run);
    retries_.reset();
    while (!over()) {
        const worked how = work(run, stop);
        if (how == worked::stopped) return;
        if (how == worked::enough) {
            synchronise(run);
        } else {
            const auto news = run.await_group();  // throws if the run is lost or over
            catch_up(run, std::get<wire::state_outdated>(news).now);
        }
        work_.save(false);
    }
}

run_member::worked run_member::work(run_client& run, std::stop_token stop)
{
    closing_ = {};
    while (work_.steps_until_round() > 0) {
        if (stop.stop_requested()) return worked::stopped;
        if (run.has_news()) return worked::news;
        if (must_be_ready(run)) break;
        work_.step();
    }
    return worked::enough;
}

/// Whether the others would go on without this member if it took another step.
bool run_member::must_be_ready(run_client& run)
{
    if (work_.steps_in_round() == 0) return false;
    if (closing_ == clock::time_point{}) {
        const auto ms = run.closing_in_ms();
        if (ms == 0) return false;
        closing_ = clock::now() + std::chrono::milliseconds(ms);
    }
    const std::chrono::duration<double> margin(work_.seconds_per_step() + 0.5);
    return clock::now() + margin > closing_;
}

void run_member::synchronise(run_client& run)
{
    constexpr int attempts = 3;
    const auto update = work_.update();
    for (int i = 0; i < attempts; ++i) {
        run.report_round_ready(work_.readiness());
        if (!run.wait_for_group(std::chrono::seconds(2)))
            work_.print_waiting(fmt::format("ready for round {}, waiting for the others",
                                            work_.state()->round + 1));
        const auto found = run.await_group();
        if (const auto* behind = std::get_if<wire::state_outdated>(&found))
            return catch_up(run, behind->now);
        const bool ended = average(run, std::get<wire::group>(found), update);
        if (ended) return;
    }
    throw std::system_error(errc::peer_failed, "three attempts at a round have failed");
}

/// Makes one attempt at a round. False: it failed, and this member's state is still the run's.
bool run_member::average(run_client& run, const wire::group& group, std::span<const float> update)
{
    const state_snapshot& from = *work_.state();
    reported_.reset();
    was_in_run_ = true;
    auto next = next_state(from);
    work_.residuals().rollback();  // of an attempt that failed before
    const average_result how =
        run.average_in(group, options_.codec, work_.residuals(), update, next->spans[0]);
    work_.saw_attempt(group, how, next->spans[0]);
    wire::round_report report;
    report.round = group.round;
    report.attempt = group.attempt;
    report.ok = how.ok;
    std::vector<std::byte> mean;
    if (how.ok) {
        mean = write_mean(next->spans[0], how.part_begins);
        advance(from, *next, options_.outer);
        report.digest = example::digest(*next);
        report.bytes_sent = how.among_voters.sent;
        report.bytes_received = how.among_voters.received;
    }
    report.seconds = how.seconds;
    report.culprit = how.culprit;
    report.left = ids_of(how.left);
    if (!how.left.empty()) work_.print(log_level::warning, went_on(group.round + 1, how.left));
    if (how.ok) reported_ = {std::move(next), report.digest, contributors(group) - how.left.size()};
    const wire::round_outcome outcome = run.report_round(std::move(report));
    if (!how.ok)
        work_.print(log_level::warning,
                    fmt::format("round {} failed: {}", group.round + 1, how.why));
    if (!outcome.ok) return false;
    if (outcome.yours) {
        adopt_reported(&how);
        run.publish(work_.state(), std::move(mean));
        setbacks_ = 0;
    } else {
        catch_up(run, outcome.now);
    }
    return true;
}

/// What this member has reported is the run's state. `how` is null where it is told so by a later
/// host of the run.
void run_member::adopt_reported(const average_result* how)
{
    const reported_state mine = *std::exchange(reported_, std::nullopt);
    work_.residuals().commit();
    work_.adopt(mine.state, mine.digest);
    work_.record_round(how, mine.contributors);
}

bool run_member::over() const
{
    return ended_ || (options_.rounds != 0 && work_.state()->round >= options_.rounds);
}

}  // namespace papilio::example
