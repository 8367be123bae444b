#include "miner.hpp"

#include <member/display.hpp>
#include <member/prepare.hpp>
#include <member/program.hpp>
#include <trainer/checkpoint.hpp>
#include <trainer/problem.hpp>

#include <papilio/base/units.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <random>
#include <utility>

namespace papilio::example {

namespace {

/// Whose batches are drawn: what was asked for, what the checkpoint was made with, or a number of
/// its own.
std::uint64_t peer_seed(const miner_options& o)
{
    if (o.peer_seed) return *o.peer_seed;
    if (o.resume && has_checkpoint(o.checkpoint)) {
        const auto text = checkpoint_reader(o.checkpoint).text("state.json");
        const auto state = nlohmann::json::parse(text, nullptr, false);
        if (state.contains("draws")) return state["draws"].value("peer", std::uint64_t{0});
    }
    if (o.alone) return 0;
    std::random_device draw;
    return draw();
}

std::uint64_t peak_memory()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

miner::miner(const miner_options& o)
    : options_(prepared(o)),
      trainer_(trainer_part(o, peer_seed(o))),
      progress_(std::uint64_t{o.rounds} * o.inner_steps, o.minutes),
      metrics_(o.metrics)
{
    progress_.note(fmt::format("{}: {}, {} parameters, on {}", o.run.model,
                               describe(trainer_.options().model), trainer_.size(),
                               trainer_.model().where()));
    update_.resize(trainer_.size());
    if (!o.alone && keeps_the_rest(o.run.codec)) unsent_ = unsent_updates(trainer_.size());
    load();
}

void miner::load()
{
    if (!options_.resume || !has_checkpoint(options_.checkpoint)) {
        auto first = first_state(trainer_.parameters());
        auto of_it = example::digest(*first);
        return adopt(std::move(first), std::move(of_it));
    }
    auto outer = trainer_.resume(options_.checkpoint);
    auto s = std::make_shared<state_snapshot>();
    s->round = static_cast<std::uint32_t>(outer.round);
    if (outer.anchor.size() != trainer_.size() || outer.momentum.size() != trainer_.size())
        throw problem(errc::mismatch, "the checkpoint in " + options_.checkpoint.string() +
                                          " holds no outer optimiser: it is not a miner's");
    s->spans.push_back(std::move(outer.anchor));
    s->spans.push_back(std::move(outer.momentum));
    if (outer.unsent.size() == unsent_.size())
        unsent_.set(std::vector<bf16>(outer.unsent.begin(), outer.unsent.end()));
    state_ = std::move(s);
    digest_ = example::digest(*state_);
    // With another number of inner steps than before, the round is begun once more.
    const std::uint64_t begin = state_->round * options_.inner_steps;
    const auto next = trainer_.next_step();
    if (next < begin || next > begin + options_.inner_steps) trainer_.skip_to(begin);
    kept_ = {state_->round, trainer_.next_step()};
    progress_.note(fmt::format("goes on from {}: round {}, step {}", options_.checkpoint.string(),
                               state_->round, trainer_.next_step()));
}

void miner::run(std::stop_token stop)
{
    if (options_.alone)
        run_alone(stop);
    else
        run_together(stop);
    keep(true);
    end();
}

void miner::run_alone(std::stop_token stop)
{
    while (!over()) {
        const trained how = train(nullptr, stop);
        if (how == trained::stopped) return;
        auto next = room_after(*state_);
        pseudo_gradient(weights(*state_), trainer_.parameters(), next->spans[0]);
        advance(*state_, *next, options_.run.outer);
        auto of_it = example::digest(*next);
        adopt(std::move(next), std::move(of_it));
        note_round(nullptr, 1);
        keep(false);
    }
}

participation_options miner::to_participate() const
{
    participation_options p;
    p.rendezvous = parse_endpoint(options_.rendezvous);
    if (!options_.announce.empty()) p.announce = parse_endpoint(options_.announce);
    if (options_.listen != "none") p.mesh.listen = parse_endpoint(options_.listen);
    p.mesh.run = options_.run.name;
    p.mesh.congestion = options_.run.congestion;
    p.name = options_.name;
    p.parameters = trainer_.size();
    p.configuration = configuration(options_.run);
    p.patience = std::chrono::milliseconds(static_cast<std::int64_t>(options_.patience * 1000));
    return p;
}

/// Whatever is lost by others' fault or the network's is tried again, as a new member.
void miner::run_together(std::stop_token stop)
{
    const auto to = to_participate();
    for (bool joined = false;;) {
        try {
            participation run(network_, to, stop);
            joined = true;
            progress_.note(fmt::format("joined the run '{}' at {} as member {}", options_.run.name,
                                       options_.rendezvous, run.joined().id));
            stay(run, stop);
            return;
        } catch (const std::system_error& failure) {
            if (failure.code() == std::errc::operation_canceled) return;
            const bool again = failure.code() == std::errc::resource_unavailable_try_again
                                   ? await_place(failure, stop)
                                   : joined && try_again(failure, stop);
            if (!again) throw;
            if (over()) return;
        }
    }
}

/// Until the end of the run, or a request to stop, whatever this miner waits for at the time.
void miner::stay(participation& run, std::stop_token stop)
{
    try {
        take_part(run, stop);
    } catch (const std::system_error& failure) {
        if (failure.code() != std::errc::operation_canceled) throw;
    }
    run.leave();
}

/// Another session has this miner's name or address: perhaps its own, from before its link was
/// lost, which the rendezvous has not noticed yet.
bool miner::await_place(const std::system_error& failure, std::stop_token stop)
{
    using clock = std::chrono::steady_clock;
    if (refusals_++ == 0) {
        last_try_ = clock::now() + to_participate().patience;
        progress_.note(fmt::format("{}; trying again for {}", failure.what(),
                                   span_of(std::round(options_.patience))));
    }
    if (clock::now() >= last_try_) return false;
    const std::chrono::seconds pause(std::min(refusals_, 5));
    std::mutex nobody;
    std::unique_lock lock(nobody);
    std::condition_variable_any().wait_for(lock, stop, pause, [] { return false; });
    return true;
}

bool miner::try_again(const std::system_error& failure, std::stop_token stop)
{
    const auto why = sentence(failure);
    if (failure.code() == errc::refused && why == run_is_over) {
        progress_.note("the run is over");
        ended_ = true;
        return true;
    }
    const bool of_the_network = failure.code().category() == category();
    if (dynamic_cast<const problem*>(&failure) || !of_the_network || ++setbacks_ > 5) return false;
    progress_.note(fmt::format("lost the run: {}; trying again", failure.what()));
    keep(true);
    return !stop.stop_requested();
}

void miner::take_part(participation& run, std::stop_token stop)
{
    catch_up(run, run.joined().now);
    was_in_run_ = true;
    while (!over()) {
        const trained how = train(&run, stop);
        if (how == trained::stopped) return;
        if (how == trained::enough) {
            synchronise(run);
        } else {
            const auto news = run.await_group();  // throws if the run is lost or over
            catch_up(run, std::get<wire::state_outdated>(news).now);
        }
        keep(false);
    }
}

miner::trained miner::train(participation* run, std::stop_token stop)
{
    hurry_ = {};
    while (steps_until_round() > 0) {
        if (stop.stop_requested()) return trained::stopped;
        if (run != nullptr && run->has_news()) return trained::news;
        if (run != nullptr && enough(*run)) break;
        note_step(trainer_.step());
    }
    return trained::enough;
}

/// Others go on without this miner if it takes another step.
bool miner::enough(participation& run)
{
    using clock = std::chrono::steady_clock;
    if (steps_in_round_ == 0) return false;
    if (hurry_ == clock::time_point{}) {
        const auto ms = run.closing_in_ms();
        if (ms == 0) return false;
        hurry_ = clock::now() + std::chrono::milliseconds(ms);
    }
    const std::chrono::duration<double> margin(progress_.seconds_per_step() + 0.5);
    return clock::now() + margin > hurry_;
}

void miner::synchronise(participation& run)
{
    constexpr int attempts = 3;
    pseudo_gradient(weights(*state_), trainer_.parameters(), update_);
    for (int i = 0; i < attempts; ++i) {
        run.ready({state_->round, digest_, static_cast<std::uint32_t>(steps_in_round_),
                   tokens_in_round_, last_loss_});
        if (!run.is_called_within(std::chrono::seconds(2)))
            progress_.waiting(
                fmt::format("ready for round {}, waiting for the others", state_->round + 1));
        const auto found = run.await_group();
        if (const auto* behind = std::get_if<wire::state_outdated>(&found))
            return catch_up(run, behind->now);
        const bool settled = average(run, std::get<wire::group>(found));
        if (settled) return;
    }
    throw std::system_error(errc::disconnected, "several attempts at a round have failed");
}

/// Averages once. False: that has failed, and this miner's state is still the run's.
bool miner::average(participation& run, const wire::group& group)
{
    auto next = room_after(*state_);
    unsent_.rollback();  // to before an attempt that came to nothing
    const averaged how =
        run.average_in(group, options_.run.codec, unsent_, update_, next->spans[0]);
    wire::round_report told;
    told.round = group.round;
    told.attempt = group.attempt;
    told.ok = how.ok;
    if (how.ok) {
        advance(*state_, *next, options_.run.outer);
        told.digest = example::digest(*next);
        told.bytes_sent = how.among_voters.sent;
        told.bytes_received = how.among_voters.received;
    }
    told.seconds = how.seconds;
    told.culprit = how.culprit;
    const std::string after = told.digest;
    const wire::round_outcome outcome = run.done(std::move(told));
    if (!how.ok) progress_.note(fmt::format("round {} failed: {}", group.round + 1, how.why));
    if (!outcome.ok) return false;
    if (outcome.yours) {
        unsent_.commit();
        adopt(std::move(next), after);
        run.publish(state_);
        note_round(&how, static_cast<std::size_t>(
                             std::ranges::count_if(group.members, [](const wire::group_member& m) {
                                 return m.role != wire::member_role::observer;
                             })));
        setbacks_ = refusals_ = 0;
    } else {
        catch_up(run, outcome.now);
    }
    return true;
}

/// The run is behind this miner. A validator that died and came back may have lost a round or so;
/// more than that is no accident.
void miner::go_back(std::uint32_t to)
{
    if (to == 0 || !was_in_run_)
        throw problem(errc::mismatch,
                      fmt::format("the run has had {} rounds, this miner {}: start the run's "
                                  "validator from its own checkpoint, or this miner without one",
                                  to, state_->round));
    progress_.note(fmt::format("the run has fallen back from round {} to {}", state_->round, to));
}

void miner::catch_up(participation& run, const wire::run_status& now)
{
    if (now.round < state_->round) go_back(now.round);
    const bool known = now.digest.empty() || now.digest == digest_;
    if (now.round != state_->round || !known) {
        auto fetched = fetch_any(run, now);
        auto of_it = example::digest(*fetched);
        adopt(std::move(fetched), std::move(of_it));
        progress_.note(fmt::format("took over the state after round {}, digest {:.12}",
                                   state_->round, digest_));
        metrics_.write({{"event", "fetched"}, {"round", state_->round}, {"digest", digest_}});
    }
    run.publish(state_);
    run.holding(state_->round, digest_);
}

/// The state from whichever member can give it. A donor that is damaged or lies is passed over.
shared_state miner::fetch_any(participation& run, const wire::run_status& now)
{
    std::string story = "nobody gave the state after round " + std::to_string(now.round);
    for (const auto& donor : now.donors) {
        if (donor.at.port == 0) continue;
        try {
            auto s = std::make_shared<const state_snapshot>(run.fetch(donor, now.round));
            if (s->round > now.round || now.digest.empty() || example::digest(*s) == now.digest)
                return s;
            story += fmt::format("; member {} gave another one", donor.id);
        } catch (const std::system_error& failure) {
            if (failure.code() == std::errc::operation_canceled) throw;
            story += fmt::format("; member {}: {}", donor.id, failure.what());
        }
    }
    throw std::system_error(errc::disconnected, story);
}

void miner::adopt(shared_state next, std::string digest)
{
    state_ = std::move(next);
    digest_ = std::move(digest);
    trainer_.set_parameters(weights(*state_));
    trainer_.skip_to(state_->round * options_.inner_steps);
    steps_in_round_ = tokens_in_round_ = 0;
}

std::uint64_t miner::steps_until_round() const
{
    return (state_->round + std::uint64_t{1}) * options_.inner_steps - trainer_.next_step();
}

bool miner::over() const
{
    return ended_ || (options_.rounds != 0 && state_->round >= options_.rounds);
}

void miner::note_step(const step_report& r)
{
    ++steps_in_round_;
    tokens_in_round_ += r.tokens;
    last_loss_ = r.loss;
    progress_.step(r, state_->round, steps_until_round());
    if (r.step % options_.metrics_every != 0) return;
    metrics_.write({{"event", "step"},
                    {"step", r.step},
                    {"round", state_->round},
                    {"loss", r.loss},
                    {"gradient_norm", r.gradient_norm},
                    {"rate", r.rate},
                    {"tokens", r.tokens},
                    {"seconds", r.seconds}});
}

/// A round is done; `how` is null where it was this miner's alone.
void miner::note_round(const averaged* how, std::size_t members)
{
    nlohmann::ordered_json line = {
        {"event", "round"}, {"round", state_->round}, {"members", members}, {"digest", digest_}};
    std::string text = fmt::format("round {} done, digest {:.12}", state_->round, digest_);
    if (how != nullptr) {
        line["bytes_sent"] = how->what.bytes_sent();
        line["bytes_received"] = how->what.bytes_received();
        line["seconds"] = how->seconds;
        line["up_mbit"] = how->what.up.bytes_per_second * 8 / 1e6;
        line["down_mbit"] = how->what.down.bytes_per_second * 8 / 1e6;
        text += fmt::format(": averaged by {} in {}, {} sent", members, span_of(how->seconds),
                            human_bytes(how->what.bytes_sent()));
    }
    if (options_.evaluate > 0) {
        const double loss = trainer_.evaluate(options_.evaluate);
        line["held_out_loss"] = loss;
        text += fmt::format(", held-out loss {:.4f}", loss);
    }
    progress_.note(text);
    metrics_.write(std::move(line));
}

/// Saves what there is, unless that is saved already.
void miner::keep(bool last)
{
    if (options_.checkpoint.empty()) return;
    if (!last && state_->round % options_.checkpoint_every != 0) return;
    if (kept_ == std::pair(state_->round, trainer_.next_step())) return;
    const std::vector<float> unsent(unsent_.values().begin(), unsent_.values().end());
    trainer_.save(options_.checkpoint,
                  {state_->round, weights(*state_), momentum(*state_), unsent});
    kept_ = {state_->round, trainer_.next_step()};
}

void miner::end()
{
    progress_.note(fmt::format("ended after round {}, step {}, digest {}; peak memory {}",
                               state_->round, trainer_.next_step(), digest_,
                               human_bytes(peak_memory())));
    metrics_.write({{"event", "end"},
                    {"round", state_->round},
                    {"step", trainer_.next_step()},
                    {"digest", digest_},
                    {"peak_memory", peak_memory()}});
}

}  // namespace papilio::example
