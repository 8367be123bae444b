#include "options.hpp"

#include <member/checks.hpp>

#include <CLI/CLI.hpp>

namespace papilio::example {

namespace {

constexpr const char* about =
    "Hosts a run: miners join here, are grouped for each round, measured and scored.";

constexpr const char* examples = R"(
Examples:
  Host a run of the demo model on ports 5400 and 5401, and end it after an hour
    papilio-validator --data book.txt --minutes 60
  A GPT-2 of 124M weights, whose miners need 50 Mbit/s each way, with scores in a file
    papilio-validator --preset gpt2-124m --data 'shards/*.bin' --min-up 50 --min-down 50 \
        --scores scores.jsonl --checkpoint kept --resume

It ends with 0 when all went well or it was asked to stop (SIGTERM, Ctrl-C), 1 on a failure, 2 when
the options make no sense, and 3 when --check finds that the run did not come to what it should.)";

void add_hosting(CLI::App& app, validator_options& o)
{
    const std::string hosting = "Hosting";
    app.add_option("--listen", o.listen, "host:port at which miners join")
        ->check(place_to_listen())
        ->group(hosting);
    app.add_option("--mesh", o.mesh, "host:port at which they exchange models with it")
        ->check(place_to_listen())
        ->group(hosting);
    app.add_option("--address-file", o.address_file, "file to write the address to, for scripts")
        ->group(hosting);
    app.add_option("--min-group", o.min_group, "miners in a round, at least")
        ->check(CLI::Range(1, 4095))
        ->group(hosting);
    app.add_option("--max-group", o.max_group, "miners in a round, at most")
        ->check(CLI::Range(1, 4095))
        ->group(hosting);
    app.add_option("--patience", o.patience, "seconds with the slow, once the first is ready")
        ->check(above_zero(1e6))
        ->group(hosting);
    app.add_option("--round-timeout", o.round_timeout, "seconds that a round may take")
        ->check(above_zero(1e6))
        ->group(hosting);
    app.add_option("--rounds", o.rounds, "end when the run has had so many; 0: never")
        ->group(hosting);
    app.add_option("--minutes", o.minutes, "end after so long; 0: never")
        ->check(zero_or_more())
        ->group(hosting);
}

void add_judging(CLI::App& app, validator_options& o)
{
    const std::string judging = "Measuring and scoring";
    app.add_option("--min-up", o.demands.min_up_mbit, "Mbit/s from a miner; 0: any")
        ->check(zero_or_more())
        ->group(judging);
    app.add_option("--min-down", o.demands.min_down_mbit, "Mbit/s to a miner; 0: any")
        ->check(zero_or_more())
        ->group(judging);
    app.add_option("--max-rtt", o.demands.max_rtt_ms, "ms to a miner and back; 0: any")
        ->check(zero_or_more())
        ->group(judging);
    app.add_option("--probe", o.probe_mib, "MiB each way to measure a link with")
        ->check(between(1, 256))
        ->group(judging);
    app.add_option("--evaluate", o.evaluate, "held-out sequences after each round; 0: all")
        ->group(judging);
    app.add_option("--scores", o.scores, "file for JSON lines: one per miner and round")
        ->group(judging);
    app.add_option("--summary", o.summary, "file for a JSON summary at the end")->group(judging);
    app.add_flag("--check", o.check, "end with 3 unless the run came to what a good one comes to")
        ->group(judging);
}

}  // namespace

validator_options parse_validator_options(int argc, const char* const* argv)
{
    validator_options o;
    CLI::App app(about, "papilio-validator");
    app.footer(examples);
    add_habits(app);
    add_hosting(app, o);
    add_run_options(app, o.run);
    add_judging(app, o);
    const std::string keeping = "Keeping";
    auto* checkpoint =
        app.add_option("--checkpoint", o.checkpoint, "folder to save the run in")->group(keeping);
    app.add_flag("--resume", o.resume, "continue the run from there, if it holds anything yet")
        ->needs(checkpoint)
        ->group(keeping);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        app.exit(asked);
        throw;
    }
    if (o.max_group < o.min_group)
        throw CLI::ValidationError("--max-group", "is below --min-group");
    return o;
}

trainer_options trainer_part(const validator_options& o)
{
    trainer_options t;
    t.model = preset(o.run.model);
    t.data = o.run.data;
    t.seed = o.run.seed;
    t.length = o.run.length;
    t.batch = o.run.model == "demo" ? 8 : 1;  // sequences evaluated at once
    t.held_out = o.run.held_out;
    t.device = device_named(o.run.device);
    return t;
}

}  // namespace papilio::example
