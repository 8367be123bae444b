#include "validator.hpp"

#include "hosted_run.hpp"
#include "processor_time.hpp"

#include <member/prepare.hpp>
#include <member/seconds.hpp>
#include <trainer/file.hpp>
#include <trainer/problem.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace papilio::example {

namespace {

/// Beside the checkpoints, also where --checkpoint is one of them.
std::filesystem::path journal_in(const std::unique_ptr<checkpoint_folder>& kept)
{
    return kept ? kept->path() / "journal" : std::filesystem::path();
}

}  // namespace

validator::validator(const validator_options& o, papilio::model& of)
    : options_(o),
      kept_(prepare(o.checkpoint, o.resume)),
      training_(of.make(), 0),
      scores_(o.scores, [this](const std::string& line) { view_.warn(line); }),
      journal_(journal_in(kept_), o.run.name),
      budget_(o.evaluate_share, std::max(1u, std::thread::hardware_concurrency()))
{
    load();
    if (options_.fall_back) fall_back();
    open();
}

validator::~validator()
{
    background_.call([this] { host_.reset(); });
}

void validator::load()
{
    if (journal_.last() && !options_.resume)
        throw problem(errc::bad_argument, "there is a journal of this run in " +
                                              kept_->path().string() +
                                              " already: add --resume to go on from there, or "
                                              "choose another folder");
    const auto from = checkpoint_of(kept_);
    if (from.empty()) {
        state_ = first_state(training_.parameters());
        digest_ = digest(*state_);
        return;
    }
    auto outer = training_.resume(from);
    if (outer.momentum.size() != training_.size())
        throw problem(errc::mismatch, "the checkpoint " + from.string() +
                                          " holds no outer optimiser: it is not a validator's");
    auto s = std::make_shared<state_snapshot>();
    s->round = static_cast<std::uint32_t>(outer.round);
    s->spans.emplace_back(training_.parameters().begin(), training_.parameters().end());
    s->spans.push_back(std::move(outer.momentum));
    state_ = std::move(s);
    digest_ = digest(*state_);
    record_ = std::move(outer.record);
}

/// From here on the journal says that the state of the checkpoint is the run's: a crash before the
/// next round changes nothing about that.
void validator::fall_back()
{
    fallen_from_ = journal_.last();
    if (fallen_from_) journal_.append({state_->round, digest_, {}});
}

run_host_options validator::host_part() const
{
    run_host_options h;
    h.listen = parse_endpoint(options_.listen);
    h.mesh.listen = parse_endpoint(options_.mesh);
    h.mesh.run = options_.run.name;
    h.mesh.congestion = options_.run.congestion;
    h.run.name = options_.run.name;
    h.run.parameters = training_.size();
    h.run.configuration = configuration(options_.run);
    h.run.round = state_->round;
    h.run.digest = digest_;  // at the begin, too: whose first weights are others fetches these
    if (journal_.last()) go_on_from(*journal_.last(), h.run);
    h.run.settings = settings(options_.run);
    if (!options_.advertise.empty()) h.advertise = parse_reachable(options_.advertise);
    h.rendezvous.groups.fetch_hold = seconds_long(options_.hold);
    h.rendezvous.groups.min_group = options_.min_group;
    h.rendezvous.groups.max_group = options_.max_group;
    h.rendezvous.groups.group_wait = seconds_long(options_.patience);
    h.rendezvous.groups.round_timeout = seconds_long(options_.round_timeout);
    h.codec = options_.run.codec;
    h.outer = options_.run.outer;
    h.rendezvous.groups.rounds = options_.rounds;
    h.probe_bytes = static_cast<std::size_t>(options_.probe_mib * 1024 * 1024);
    return h;
}

void validator::open()
{
    background_.call([this] {
        // Only the newest state is evaluated when rounds are faster than evaluations.
        const auto drop_state = [](observation& older) { older.state.reset(); };
        const auto tell = [this, drop_state](observation o) {
            seen_.put(std::move(o), drop_state);
        };
        const auto note = [this](log_level level, std::string line) {
            say(level, std::move(line));
        };
        host_ = std::make_unique<run_host>(background_.loop(), host_part(), state_, digest_,
                                           journal_, tell, note);
        address_ = host_->address();
        mesh_address_ = host_->mesh_address();
    });
}

void validator::evaluate()
{
    const auto begun = clock::now();
    const auto before = processor_time();
    const auto held_out = training_.evaluate(options_.evaluate);
    const auto spent = processor_time() - before;
    budget_.took(begun, spent);
    last_evaluation_ = {.loss = held_out.loss,
                        .sequences = held_out.sequences,
                        .round = state_->round,
                        .processor_seconds = spent.count()};
}

/// Nothing where the data cannot be read any more, which is no reason to end the run.
std::optional<double> validator::try_to_evaluate()
{
    try {
        evaluate();
        so_far_->note_evaluation(last_evaluation_);
        if (unevaluated_.ends()) view_.note("the model is evaluated again");
        return last_evaluation_.loss;
    } catch (const problem& why) {
        if (unevaluated_.begins())
            view_.warn(fmt::format("the model is not evaluated: {}", why.what()));
        return {};
    }
}

/// Saves the state after the last round. When that fails, tries again after the next round.
void validator::save()
{
    if (!kept_) return;
    const std::string record = as_text(so_far_->record());
    try {
        training_.save(*kept_, {.round = state_->round,
                                .anchor = weights(*state_),
                                .momentum = momentum(*state_),
                                .residuals = {},
                                .record = record});
        if (unsaved_.ends()) view_.note("checkpoints are saved again");
    } catch (const std::system_error& failure) {
        if (unsaved_.begins())
            view_.warn(
                fmt::format("the checkpoint is not saved: {}; goes on without, and tries "
                            "again after the next round",
                            failure.what()));
    }
}

bool validator::run(const signals& asked)
{
    const auto notes = training_.of().notes();
    if (!notes.model.empty()) view_.note(notes.model);
    if (!notes.warning.empty()) view_.warn(notes.warning);
    if (!checkpoint_of(kept_).empty())
        view_.note(
            fmt::format("goes on from {}: round {}", checkpoint_of(kept_).string(), state_->round));
    else if (options_.resume && !journal_.last())
        view_.note(fmt::format("there is no checkpoint in {} yet: begins anew",
                               options_.checkpoint.string()));
    entropy_ = training_.of().unigram_entropy();
    evaluate();
    so_far_.emplace(last_evaluation_, entropy_);
    if (!record_.empty()) so_far_->carry_over(nlohmann::json::parse(record_, nullptr, false));
    show_address();
    show_resumed();
    begun_ = clock::now();

    hosted_run hosted(background_, host_->run());
    const std::stop_callback at_end(asked.end_token(), [&] { end(run_ending::over); });
    const std::stop_callback at_stop(asked.token(), [&] {
        if (!asked.end_token().stop_requested())
            end(asked.number() != 0 && kept_ ? run_ending::paused : run_ending::over);
    });
    while (!hosted.over()) {
        const auto next = seen_.take(std::chrono::milliseconds(500));
        show_notes();
        if (next) record(*next);
        if (next || view_.redraws()) show();
    }
    hosted.end.get();
    paused_ = background_.call([this] { return host_->ending(); }) == run_ending::paused;
    show_notes();
    for (auto next = seen_.take(clock::duration{}); next; next = seen_.take(clock::duration{}))
        record(*next);
    const bool stopped = asked.token().stop_requested() && !asked.end_token().stop_requested();
    const bool evaluated = last_evaluation_.round == state_->round;
    if (!stopped && !evaluated) try_to_evaluate();  // whatever its share: the run's result
    return conclude();
}

/// Evaluates the state after a round, if there is time for it, and writes the scores.
void validator::record(const observation& o)
{
    std::optional<double> loss;
    if (o.state) {
        state_ = o.state;
        digest_ = o.digest;
        training_.set_parameters(weights(*state_));
        if (budget_.allows(clock::now())) loss = try_to_evaluate();
    }
    const auto verdicts = judge(o, options_.required, options_.run.codec, training_.size());
    so_far_->add(o, verdicts);
    for (const verdict& v : verdicts) scores_.write(to_json(v, o, loss));
    scores_.flush();
    if (!o.outcome.ok)
        view_.warn(fmt::format("round {} failed{}", o.outcome.group.round + 1,
                               o.failure.empty() ? "" : ": " + o.failure));
    if (o.state) save();
}

double validator::seconds() const
{
    return std::chrono::duration<double>(clock::now() - begun_).count();
}

bool validator::conclude()
{
    if (view_.redraws()) view_.note("");
    so_far_->note_departures(background_.call([this] { return host_->snapshot(); }));
    const double all = seconds();
    std::fputs(so_far_->text(all).c_str(), stdout);
    const auto shortcomings = so_far_->shortcomings();
    if (options_.check)
        for (const auto& s : shortcomings) std::fputs(("shortcoming: " + s + "\n").c_str(), stdout);
    std::fflush(stdout);
    if (!options_.summary.empty())
        write_atomically(options_.summary, as_text(so_far_->to_json(all), 2) + "\n");
    return !options_.check || shortcomings.empty();
}

}  // namespace papilio::example
