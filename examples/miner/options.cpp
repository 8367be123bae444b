#include "options.hpp"

#include <member/checks.hpp>
#include <member/command_line.hpp>
#include <member/seconds.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>

namespace papilio::example {

namespace {

constexpr const char* about =
    "Trains a GPT-2 on your text and averages it with other miners at intervals (DiLoCo).";

constexpr const char* examples = R"(
Examples:
  Join the run of a validator that listens at 10.0.0.1, port 5400
    papilio-miner --rendezvous 10.0.0.1:5400 --data book.txt
  GPT-2 with 124M weights on tokenised shards, with checkpoints to continue from
    papilio-miner --rendezvous 10.0.0.1:5400 --preset gpt2-124m --data 'shards/*.bin' \
        --checkpoint kept --resume
  Alone, for ten rounds
    papilio-miner --alone --data book.txt --rounds 10
  With options from a file that holds lines such as: data = book.txt
    papilio-miner --config miner.ini

Exit code: 0 when the run, --rounds or --minutes have ended; 143, 129 or 130 when it was stopped by
SIGTERM, SIGHUP or Ctrl-C; 75 when it has waited for --patience in vain; 77 when the run refuses it
for good; 1 on another failure; 2 for invalid options.)";

/// Sets the options that were not given to the preset's defaults.
void apply_preset(miner_options& o, const CLI::App& app)
{
    const bool demo = o.run.model == "demo";
    const auto set_default = [&](const char* option, auto& value, auto standard) {
        if (app.count(option) == 0) value = standard;
    };
    if (o.inner_steps == 0) o.inner_steps = demo ? 20 : 500;
    set_default("--batch", o.batch, std::size_t{8});
    set_default("--accumulation", o.accumulation, std::size_t{demo ? 1u : 8u});
    set_default("--lr", o.rate.peak, demo ? 1e-3 : 4e-4);
    set_default("--warm-up", o.rate.warm_up, std::uint64_t{demo ? 20u : 1000u});
}

void add_network(CLI::App& app, miner_options& o)
{
    const std::string network = "Network";
    auto* rendezvous =
        app.add_option("--rendezvous", o.rendezvous, "host:port of the run's validator")
            ->check(remote_address())
            ->group(network);
    app.add_flag("--alone", o.alone, "train without a run, with the same outer optimiser")
        ->excludes(rendezvous)
        ->group(network);
    app.add_option("--listen", o.listen, "host:port for other miners; none: accept no connections")
        ->check(listen_address(true))
        ->group(network);
    app.add_option("--announce", o.announce, "host:port that others dial, if not that of --listen")
        ->check(remote_address())
        ->group(network);
    app.add_option("--name", o.name, "shown in the validator's table")
        ->check(readable_text())
        ->group(network);
    app.add_option("--patience", o.patience,
                   "seconds to wait for a rendezvous that is away or full, before and in the run")
        ->check(above_zero())
        ->group(network);
}

void add_training(CLI::App& app, miner_options& o)
{
    const std::string training = "Training";
    app.add_option("--inner-steps", o.inner_steps, "training steps between rounds; 0: the preset's")
        ->check(whole())
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
    app.add_option("--warm-up", o.rate.warm_up, "steps until the highest learning rate")
        ->check(whole())
        ->default_str("20 for demo, else 1000")
        ->group(training);
    app.add_option("--lr-steps", o.rate.total, "step at which the cosine decay ends; 0: no decay")
        ->check(whole())
        ->group(training);
    app.add_option("--lr-floor", o.rate.floor, "share of --lr after the decay, 0 to 1")
        ->check(between(0, 1))
        ->group(training);
    app.add_option("--weight-decay", o.optimizer.decay, "weight decay of AdamW")
        ->check(zero_or_more())
        ->group(training);
    app.add_option("--clip", o.optimizer.clip, "highest norm of the gradient; 0: no limit")
        ->check(zero_or_more())
        ->group(training);
    app.add_option("--peer-seed", o.peer_seed, "seed of the batches; must differ between miners")
        ->check(whole())
        ->default_str("random, and kept in the checkpoint")
        ->group(training);
    app.add_option("--evaluate", o.evaluate, "held-out sequences to evaluate after each round")
        ->check(whole())
        ->group(training);
}

void add_checkpoints(CLI::App& app, miner_options& o)
{
    const std::string checkpoints = "Checkpoints and end";
    auto* checkpoint =
        app.add_option("--checkpoint", o.checkpoint, "folder for checkpoints")->group(checkpoints);
    app.add_flag("--resume", o.resume,
                 "continue from the checkpoint in that folder, or begin in an empty one")
        ->needs(checkpoint)
        ->group(checkpoints);
    app.add_option("--checkpoint-every", o.checkpoint_every, "rounds between checkpoints")
        ->check(above_zero())
        ->group(checkpoints);
    app.add_option("--rounds", o.rounds, "end after so many rounds of the run; 0: never")
        ->check(rounds())
        ->group(checkpoints);
    app.add_option("--minutes", o.minutes, "end after so many minutes; 0: never")
        ->check(zero_or_more())
        ->group(checkpoints);
    app.add_option("--metrics", o.metrics, "file for JSON lines about steps and rounds")
        ->group(checkpoints);
    app.add_option("--metrics-every", o.metrics_every, "steps between lines in --metrics")
        ->check(above_zero())
        ->group(checkpoints);
}

}  // namespace

miner_options parse_miner_options(int argc, const char* const* argv)
{
    miner_options o;
    CLI::App app(about, "papilio-miner");
    app.footer(examples);
    add_common(app);
    add_network(app, o);
    add_run_options(app, o.run);
    add_training(app, o);
    add_checkpoints(app, o);
    read_command_line(app, argc, argv);
    if (!o.alone && o.rendezvous.empty())
        throw CLI::RequiredError("--rendezvous (where the run's validator listens) or --alone");
    apply_preset(o, app);
    return o;
}

trainer_options trainer_part(const miner_options& o, std::uint64_t peer)
{
    trainer_options t;
    t.model = preset(o.run.model);
    t.data = o.run.data;
    t.seed = o.run.seed;
    t.init = o.run.init;
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

run_client_options client_part(const miner_options& o, std::uint64_t parameters)
{
    run_client_options c;
    c.rendezvous = parse_endpoint(o.rendezvous);
    if (!o.announce.empty()) c.announce = parse_endpoint(o.announce);
    if (o.listen != "none") c.mesh.listen = parse_endpoint(o.listen);
    c.mesh.run = o.run.name;
    c.mesh.congestion = o.run.congestion;
    c.name = o.name;
    c.parameters = parameters;
    c.configuration = configuration(o.run);
    c.settings = settings(o.run);
    c.attempt = std::min<duration>(seconds_long(o.patience), std::chrono::seconds(10));
    return c;
}

}  // namespace papilio::example
