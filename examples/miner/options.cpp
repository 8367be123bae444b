#include "options.hpp"

#include <member/checks.hpp>
#include <member/command_line.hpp>
#include <member/seconds.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>

namespace papilio::example {

namespace {

constexpr const char* about =
    "Trains a model and averages it with other miners at intervals (DiLoCo).";

constexpr const char* footer = R"(
Exit code: 0 when the run, --rounds or --minutes have ended; 143, 129 or 130 when it was stopped by
SIGTERM, SIGHUP or Ctrl-C; 75 when it has waited for --patience in vain; 77 when the run refuses it
for good; 1 on another failure; 2 for invalid options.)";

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
    app.add_option("--inner-steps", o.inner_steps,
                   "training steps between rounds; 0: the model's default")
        ->check(whole())
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

miner_options parse_miner_options(int argc, const char* const* argv, papilio::model& of)
{
    miner_options o;
    CLI::App app(about, program_name(argc, argv));
    app.footer(footer);
    add_common(app);
    add_network(app, o);
    add_run_options(app, o.run);
    add_training(app, o);
    add_checkpoints(app, o);
    of.add_options(app);
    read_command_line(app, argc, argv);
    if (!o.alone && o.rendezvous.empty())
        throw CLI::RequiredError("--rendezvous (where the run's validator listens) or --alone");
    if (o.inner_steps == 0) o.inner_steps = std::max<std::uint64_t>(1, of.inner_steps());
    o.run.model = of.settings();
    return o;
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
