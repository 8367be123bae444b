#include "validator.hpp"

#include <member/prepare.hpp>
#include <member/seconds.hpp>
#include <trainer/checkpoint.hpp>
#include <trainer/problem.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

namespace papilio::example {

namespace {

/// The host's task on the background loop. The destructor cancels it and waits, so that an
/// exception on this thread does not leave it running on destroyed objects.
struct hosted_run {
    hosted_run(background_loop& on, task<> work) : end(on.start(std::move(work), drop.get_token()))
    {
    }
    hosted_run(const hosted_run&) = delete;
    hosted_run& operator=(const hosted_run&) = delete;
    ~hosted_run()
    {
        drop.request_stop();
        if (end.valid()) end.wait();
    }

    bool over() const { return end.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

    std::stop_source drop;
    std::future<void> end;
};

/// Writes a file that readers see whole or not at all.
void write_atomically(const std::filesystem::path& path, const std::string& content)
{
    const auto temporary = path.parent_path() / ("." + path.filename().string());
    errno = 0;
    std::ofstream file(temporary);
    file << content;
    file.close();
    if (!file) throw_system_problem(errno, "cannot write " + path.string());
    std::filesystem::rename(temporary, path);
}

std::filesystem::path journal_path(const validator_options& o)
{
    return o.checkpoint.empty() ? std::filesystem::path() : o.checkpoint / "journal";
}

}  // namespace

validator::validator(const validator_options& o)
    : options_(prepared(o)),
      trainer_(trainer_part(o)),
      scores_(o.scores),
      journal_(journal_path(o), o.run.name)
{
    load();
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
                                              options_.checkpoint.string() +
                                              " already: add --resume to go on from there, or "
                                              "choose another folder");
    if (!options_.resume || !has_checkpoint(options_.checkpoint)) {
        state_ = first_state(trainer_.parameters());
        digest_ = digest(*state_);
        return;
    }
    auto outer = trainer_.resume(options_.checkpoint);
    if (outer.momentum.size() != trainer_.size())
        throw problem(errc::mismatch, "the checkpoint in " + options_.checkpoint.string() +
                                          " holds no outer optimiser: it is not a validator's");
    auto s = std::make_shared<state_snapshot>();
    s->round = static_cast<std::uint32_t>(outer.round);
    s->spans.emplace_back(trainer_.parameters().begin(), trainer_.parameters().end());
    s->spans.push_back(std::move(outer.momentum));
    state_ = std::move(s);
    digest_ = digest(*state_);
}

run_host_options validator::host_part() const
{
    run_host_options h;
    h.listen = parse_endpoint(options_.listen);
    h.mesh.listen = parse_endpoint(options_.mesh);
    h.mesh.run = options_.run.name;
    h.mesh.congestion = options_.run.congestion;
    h.run.name = options_.run.name;
    h.run.parameters = trainer_.size();
    h.run.configuration = configuration(options_.run);
    h.run.round = state_->round;
    if (state_->round > 0) h.run.digest = digest_;
    if (const auto& settled = journal_.last(); settled && !options_.fall_back) {
        if (settled->round >= state_->round) {
            h.run.round = settled->round;
            h.run.digest = settled->digest;
        }
        h.run.settled_by = settled->members;
    }
    h.run.settings = settings(options_.run);
    if (!options_.advertise.empty()) h.advertise = parse_reachable(options_.advertise);
    h.rendezvous.groups.fetch_hold = seconds_long(options_.hold);
    h.rendezvous.groups.min_group = options_.min_group;
    h.rendezvous.groups.max_group = options_.max_group;
    h.rendezvous.groups.group_wait = seconds_long(options_.patience);
    h.rendezvous.groups.round_timeout = seconds_long(options_.round_timeout);
    h.codec = options_.run.codec;
    h.outer = options_.run.outer;
    h.rounds = options_.rounds;
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
        const auto note = [this](std::string line) {
            notes_.put(std::move(line), [](std::string&) {});
        };
        host_ = std::make_unique<run_host>(background_.loop(), host_part(), state_, digest_,
                                           journal_, tell, note);
        address_ = host_->address();
        mesh_address_ = host_->mesh_address();
    });
}

double validator::evaluate(const state_snapshot& s)
{
    trainer_.set_parameters(weights(s));
    return trainer_.evaluate(options_.evaluate);
}

bool validator::run(const signals& asked)
{
    view_.note(fmt::format("{}: {}, {} parameters, on {}", options_.run.model,
                           describe(trainer_.options().model), trainer_.size(),
                           trainer_.model().where()));
    entropy_ = trainer_.held_out_entropy();
    held_out_loss_ = evaluate(*state_);
    so_far_.emplace(held_out_loss_, entropy_);
    show_address();
    show_resumed();
    begun_ = clock::now();

    hosted_run hosted(background_, host_->run());
    const std::stop_callback at_end(asked.token(), [&] { end(asked.number()); });
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
    return conclude();
}

/// Shows the address at which miners join, and writes it to --address-file.
void validator::show_address()
{
    const bool anywhere = listens_anywhere(address_.host);
    const std::string port = std::to_string(address_.port);
    const std::string local = anywhere ? "127.0.0.1:" + port : tcp::to_string(address_);
    if (!options_.address_file.empty()) write_atomically(options_.address_file, local + "\n");
    view_.note(fmt::format("miners join with --rendezvous {} --run {}",
                           anywhere ? "HOST:" + port : local, options_.run.name));
    if (anywhere || listens_anywhere(mesh_address_.host))
        view_.note(fmt::format(
            "HOST is the address of this machine; ports {} and {} must be open to miners",
            address_.port, mesh_address_.port));
    view_.note(fmt::format("a round needs at least {} miners", options_.min_group));
}

/// After a restart miners may be further than the checkpoint.
void validator::show_resumed()
{
    const auto& settled = journal_.last();
    const bool behind = settled && settled->round > state_->round;
    if (behind && options_.fall_back)
        view_.note(fmt::format("goes on from round {}, though round {} was settled", state_->round,
                               settled->round));
    else if (behind)
        view_.note(fmt::format(
            "round {} was settled, and the checkpoint is of round {}: waiting for a miner that "
            "holds the state, digest {:.12}; to go on from the checkpoint instead, start again "
            "with "
            "--fall-back",
            settled->round, state_->round, settled->digest));
}

/// From the thread that listens for signals.
void validator::end(int by_signal)
{
    const bool pauses = by_signal == SIGINT || by_signal == SIGTERM;
    if (pauses)
        notes_.put(
            fmt::format("pausing after the current round: the miners wait for this validator "
                        "to come back{}; to end the run for them, too, use kill -USR1 {}",
                        options_.checkpoint.empty() ? "" : " (--resume)", ::getpid()),
            [](std::string&) {});
    background_.call([&] { host_->end(pauses ? run_ending::paused : run_ending::over); });
}

void validator::show_notes()
{
    for (auto line = notes_.take(clock::duration{}); line; line = notes_.take(clock::duration{}))
        view_.note(*line);
}

/// Evaluates the state after a round, and writes the scores.
void validator::record(const observation& o)
{
    std::optional<double> loss;
    if (o.state) {
        loss = held_out_loss_ = evaluate(*o.state);
        state_ = o.state;
        digest_ = o.digest;
        so_far_->note_loss(*loss);
    }
    const auto verdicts = judge(o, options_.required, options_.run.codec, trainer_.size());
    so_far_->add(o, verdicts);
    for (const verdict& v : verdicts) scores_.write(to_json(v, o, loss));
    if (!o.outcome.ok)
        view_.note(fmt::format("round {} failed{}", o.outcome.group.round + 1,
                               o.failure.empty() ? "" : ": " + o.failure));
    if (o.state && !options_.checkpoint.empty())
        trainer_.save(options_.checkpoint, {state_->round, weights(*state_), momentum(*state_)});
}

double validator::seconds() const
{
    return std::chrono::duration<double>(clock::now() - begun_).count();
}

void validator::show()
{
    const run_snapshot now = background_.call([this] { return host_->snapshot(); });
    run_metrics h{held_out_loss_, entropy_, seconds(), -1};
    if (options_.minutes > 0) h.seconds_left = std::max(0.0, options_.minutes * 60 - h.seconds);
    if (options_.rounds > 0 && so_far_->rounds() > 0 && options_.rounds > now.round)
        h.seconds_left = h.seconds / so_far_->rounds() * (options_.rounds - now.round);
    view_.show(now, *so_far_, h);
}

bool validator::conclude()
{
    view_.note("");
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
