#include "options.hpp"

#include <member/checks.hpp>
#include <member/command_line.hpp>

#include <papilio/swarm/addresses.hpp>

#include <CLI/CLI.hpp>

namespace papilio::example {

namespace {

constexpr const char* about =
    "Hosts a run: groups the miners for each round, measures their links and scores them.";

constexpr const char* footer = R"(
SIGTERM, SIGHUP and Ctrl-C only pause a run with --checkpoint: the miners wait, and --resume goes
on. SIGUSR1 ends it; without --checkpoint each of these does.
Exit code: 0 when the run has ended; 143, 129 or 130 when it was paused by SIGTERM, SIGHUP or
Ctrl-C; 1 on a failure; 2 for invalid options; 3 when --check finds a shortcoming.)";

void add_hosting(CLI::App& app, validator_options& o)
{
    const std::string hosting = "Hosting";
    app.add_option("--listen", o.listen, "host:port at which miners join; port 0: any free one")
        ->check(listen_address())
        ->group(hosting);
    app.add_option("--mesh", o.mesh, "host:port at which miners exchange models with it")
        ->check(listen_address())
        ->group(hosting);
    app.add_option("--advertise", o.advertise,
                   "host or host:port by which miners on other hosts reach --mesh")
        ->check(reachable_address())
        ->group(hosting);
    app.add_option("--address-file", o.address_file, "file to write the address of --listen to")
        ->group(hosting);
    app.add_option("--min-group", o.min_group, "fewest miners in a round, 1 to 4095")
        ->check(whole(1, 4095))
        ->group(hosting);
    app.add_option("--max-group", o.max_group, "most miners in a round, 1 to 4095")
        ->check(whole(1, 4095))
        ->group(hosting);
    app.add_option("--patience", o.patience,
                   "seconds to wait for slow miners after the first is ready")
        ->check(above_zero(1e6))
        ->group(hosting);
    app.add_option("--round-timeout", o.round_timeout, "limit of a round in seconds")
        ->check(above_zero(1e6))
        ->group(hosting);
    app.add_option("--hold", o.hold,
                   "seconds that a round waits for a miner that fetches the model; 0: not at all")
        ->check(between(0, 1e6))
        ->group(hosting);
    app.add_option("--rounds", o.rounds, "end after so many rounds of the run; 0: never")
        ->check(rounds())
        ->group(hosting);
    app.add_option("--minutes", o.minutes, "end after so many minutes; 0: never")
        ->check(zero_or_more())
        ->group(hosting);
}

void add_scoring(CLI::App& app, validator_options& o)
{
    const std::string scoring = "Measuring and scoring";
    app.add_option("--min-up", o.required.min_up_mbit, "Mbit/s that a miner must send; 0: any")
        ->check(zero_or_more())
        ->group(scoring);
    app.add_option("--min-down", o.required.min_down_mbit,
                   "Mbit/s that a miner must receive; 0: any")
        ->check(zero_or_more())
        ->group(scoring);
    app.add_option("--max-rtt", o.required.max_rtt_ms, "highest round-trip time in ms; 0: any")
        ->check(zero_or_more())
        ->group(scoring);
    app.add_option("--probe", o.probe_mib, "MiB sent each way to measure a link, 1 to 256")
        ->check(between(1, 256))
        ->group(scoring);
    app.add_option("--evaluate", o.evaluate,
                   "held-out sequences to evaluate after rounds, always the same; 0: all")
        ->check(whole())
        ->group(scoring);
    app.add_option("--evaluate-share", o.evaluate_share,
                   "share of this machine's processor time for that, above 0 to 1; where it is not "
                   "enough for every round, rounds are left out")
        ->check(above_zero(1))
        ->group(scoring);
    app.add_option("--scores", o.scores, "file for JSON lines, one per miner and round")
        ->group(scoring);
    app.add_option("--summary", o.summary, "file for a JSON summary at the end")->group(scoring);
    app.add_flag("--check", o.check, "end with 3 if the run has a shortcoming")->group(scoring);
}

void add_checkpoints(CLI::App& app, validator_options& o)
{
    const std::string checkpoints = "Checkpoints";
    auto* checkpoint =
        app.add_option("--checkpoint", o.checkpoint, "folder for checkpoints of the run")
            ->group(checkpoints);
    app.add_flag("--resume", o.resume,
                 "continue from the checkpoint in that folder, or begin in an empty one")
        ->needs(checkpoint)
        ->group(checkpoints);
    app.add_flag("--fall-back", o.fall_back,
                 "with --resume, go on from the checkpoint though miners were further")
        ->needs("--resume")
        ->group(checkpoints);
}

void check_together(const validator_options& o)
{
    if (o.max_group < o.min_group)
        throw CLI::ValidationError("--max-group", "must be at least --min-group, which is " +
                                                      std::to_string(o.min_group) + ", not " +
                                                      std::to_string(o.max_group));
    const bool hidden = papilio::detail::is_loopback(parse_endpoint(o.mesh).host) &&
                        !papilio::detail::is_loopback(parse_endpoint(o.listen).host);
    if (hidden && o.advertise.empty())
        throw CLI::ValidationError("--mesh",
                                   "is a loopback address while --listen is none, so that "
                                   "miners on other hosts would not reach it: give the "
                                   "address by which they do, or --advertise");
}

}  // namespace

validator_options parse_validator_options(int argc, const char* const* argv, papilio::model& of)
{
    validator_options o;
    CLI::App app(about, program_name(argc, argv));
    app.footer(footer);
    add_common(app);
    add_hosting(app, o);
    add_run_options(app, o.run);
    add_scoring(app, o);
    add_checkpoints(app, o);
    of.add_options(app);
    read_command_line(app, argc, argv);
    check_together(o);
    o.run.model = of.settings();
    return o;
}

}  // namespace papilio::example
