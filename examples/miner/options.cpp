#include "options.hpp"

#include <member/checks.hpp>

#include <CLI/CLI.hpp>

namespace papilio::example {

namespace {

constexpr const char* about =
    "Trains a GPT-2 on your text, and averages it with other miners every so often (DiLoCo).";

constexpr const char* examples = R"(
Examples:
  Join the run of a validator that listens at 10.0.0.1, port 5400
    papilio-miner --rendezvous 10.0.0.1:5400 --data book.txt
  A GPT-2 of 124M weights on tokenised shards, kept in a folder and continued after a restart
    papilio-miner --rendezvous 10.0.0.1:5400 --preset gpt2-124m --data 'shards/*.bin' \
        --checkpoint kept --resume
  Alone, for ten rounds
    papilio-miner --alone --data book.txt --rounds 10
  With options from a file that holds lines such as: data = book.txt
    papilio-miner --config miner.ini

It ends with 0 when all went well or it was asked to stop (SIGTERM, Ctrl-C), 1 on a failure, and 2
when the options make no sense.)";

/// What a preset trains with, unless told otherwise.
void fill_in(miner_options& o, const CLI::App& app)
{
    const bool demo = o.run.model == "demo";
    const auto unless_given = [&](const char* option, auto& value, auto standard) {
        if (app.count(option) == 0) value = standard;
    };
    if (o.inner_steps == 0) o.inner_steps = demo ? 20 : 500;
    unless_given("--batch", o.batch, std::size_t{8});
    unless_given("--accumulation", o.accumulation, std::size_t{demo ? 1u : 8u});
    unless_given("--lr", o.rate.peak, demo ? 1e-3 : 4e-4);
    unless_given("--warm-up", o.rate.warm_up, std::uint64_t{demo ? 20u : 1000u});
}

void add_meeting(CLI::App& app, miner_options& o)
{
    const std::string meeting = "Meeting others";
    auto* rendezvous =
        app.add_option("--rendezvous", o.rendezvous, "host:port of the run's validator")
            ->check(place_to_dial())
            ->group(meeting);
    app.add_flag("--alone", o.alone, "train without others, by the same outer optimiser")
        ->excludes(rendezvous)
        ->group(meeting);
    app.add_option("--listen", o.listen, "host:port for other miners; none: they cannot dial us")
        ->check(place_to_listen(true))
        ->group(meeting);
    app.add_option("--announce", o.announce, "host:port that others dial, if it is another")
        ->check(place_to_dial())
        ->group(meeting);
    app.add_option("--name", o.name, "for people, in the validator's table")
        ->check(readable_text())
        ->group(meeting);
    app.add_option("--patience", o.patience,
                   "seconds with a rendezvous that does not answer, or not take us yet")
        ->check(above_zero())
        ->group(meeting);
}

void add_training(CLI::App& app, miner_options& o)
{
    const std::string training = "Training";
    app.add_option("--inner-steps", o.inner_steps, "steps between rounds; 0: the preset's")
        ->default_str("20 for demo, else 500")
        ->group(training);
    app.add_option("--batch", o.batch, "sequences in a forward pass")
        ->check(above_zero())
        ->default_str("8")
        ->group(training);
    app.add_option("--accumulation", o.accumulation, "forward passes in a step")
        ->check(above_zero())
        ->default_str("1 for demo, else 8")
        ->group(training);
    app.add_option("--lr", o.rate.peak, "highest learning rate")
        ->check(above_zero())
        ->default_str("0.001 for demo, else 0.0004")
        ->group(training);
    app.add_option("--warm-up", o.rate.warm_up, "steps until then")
        ->default_str("20 for demo, else 1000")
        ->group(training);
    app.add_option("--lr-steps", o.rate.total, "step at which its cosine ends; 0: it stays high")
        ->group(training);
    app.add_option("--lr-floor", o.rate.floor, "its share that is left there")
        ->check(between(0, 1))
        ->group(training);
    app.add_option("--weight-decay", o.optimizer.decay, "of AdamW")
        ->check(zero_or_more())
        ->group(training);
    app.add_option("--clip", o.optimizer.clip, "longest gradient; 0: no limit")
        ->check(zero_or_more())
        ->group(training);
    app.add_option("--peer-seed", o.peer_seed, "of the draws; another for each miner")
        ->default_str("drawn once, and kept in the checkpoint")
        ->group(training);
    app.add_option("--evaluate", o.evaluate, "held-out sequences to look at after each round")
        ->group(training);
}

void add_keeping(CLI::App& app, miner_options& o)
{
    const std::string keeping = "Keeping and ending";
    auto* checkpoint =
        app.add_option("--checkpoint", o.checkpoint, "folder to save in")->group(keeping);
    app.add_flag("--resume", o.resume, "continue from there, if it holds anything yet")
        ->needs(checkpoint)
        ->group(keeping);
    app.add_option("--checkpoint-every", o.checkpoint_every, "rounds")
        ->check(above_zero())
        ->group(keeping);
    app.add_option("--rounds", o.rounds, "end when the run has had so many; 0: never")
        ->group(keeping);
    app.add_option("--minutes", o.minutes, "end after so long; 0: never")
        ->check(zero_or_more())
        ->group(keeping);
    app.add_option("--metrics", o.metrics, "file for JSON lines: steps and rounds")->group(keeping);
    app.add_option("--metrics-every", o.metrics_every, "steps")
        ->check(above_zero())
        ->group(keeping);
}

}  // namespace

miner_options parse_miner_options(int argc, const char* const* argv)
{
    miner_options o;
    CLI::App app(about, "papilio-miner");
    app.footer(examples);
    add_habits(app);
    add_meeting(app, o);
    add_run_options(app, o.run);
    add_training(app, o);
    add_keeping(app, o);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        app.exit(asked);
        throw;
    }
    if (!o.alone && o.rendezvous.empty())
        throw CLI::RequiredError("--rendezvous (where the run's validator listens) or --alone");
    fill_in(o, app);
    return o;
}

trainer_options trainer_part(const miner_options& o, std::uint64_t peer)
{
    trainer_options t;
    t.model = preset(o.run.model);
    t.data = o.run.data;
    t.seed = o.run.seed;
    t.peer = peer;
    t.batch = o.batch;
    t.accumulation = o.accumulation;
    t.length = o.run.length;
    t.held_out = o.run.held_out;
    t.rate = o.rate;
    t.optimizer = o.optimizer;
    t.device = device_named(o.run.device);
    return t;
}

}  // namespace papilio::example
