#include "options.hpp"

#include <member/checks.hpp>
#include <member/command_line.hpp>

#include <CLI/CLI.hpp>

namespace papilio::example::simulator {

namespace {

constexpr const char* about =
    "Runs calls among peers of a simulated network while processes die, stand still and come back, "
    "and links break and heal; checks every number and every end. A run follows from its seed.";

constexpr const char* examples = R"(
Examples:
  What happens in one run, line by line
    papilio-sim --seed 7
  The same call, with other faults
    papilio-sim --seed 7 --schedule '5ms stop 2 for 300ms; 20ms drop 0,1 for 50ms; 1s crash 3'
  A picture of it, for a browser
    papilio-sim --seed 7 --diagram run.svg
  Many runs, one after the other
    papilio-sim --seeds 100000 --first-seed 1

A schedule is a list of faults: a time, a verb, ranks, and for some verbs 'by' a time; 'for' a time
if it ends. Times are in s, ms, us or ns.
  crash A | restart A [for]   the process dies; another one takes its place after that time
  stop A [for]                it stands still
  slow A by T [for]           each KiB to it and from it takes T
  clog A,B by T [for]         messages between the two take T longer
  reorder A,B by T [for]      messages between the two take up to T longer, each another time
  cut A,B [for]               what A sends to B does not arrive until then
  partition A,... [for]       these and the others do not hear each other
  drop A,B [for]              the link of the two ends, and comes back after that time
  flip A,B                    a bit changes of the next data that A sends B

Exit code: 0 when nothing was wrong; 1 when a run has shown what none may: it is told with the
smallest schedule that was found to show it; 2 for invalid options.)";

}  // namespace

options parse_options(int argc, const char* const* argv)
{
    options o;
    CLI::App app(about, "papilio-sim");
    app.footer(examples);
    app.option_defaults()->always_capture_default();
    app.get_formatter()->column_width(34);
    auto* seed = app.add_option("--seed", o.seed, "the run whose timeline is printed")
                     ->check(whole())
                     ->group("One run");
    auto* schedule = app.add_option("--schedule", o.schedule,
                                    "what befalls the peers, in place of what is drawn")
                         ->group("One run");
    auto* diagram = app.add_option("--diagram", o.diagram,
                                   "a file for a picture of it, in SVG: peers, messages, ends")
                        ->group("One run");
    auto* seeds = app.add_option("--seeds", o.seeds, "how many runs, 1 to 1000000000")
                      ->check(whole(1, 1'000'000'000))
                      ->default_str("")
                      ->excludes(seed)
                      ->excludes(schedule)
                      ->excludes(diagram)
                      ->group("Many runs");
    app.add_option("--first-seed", o.first_seed, "of these runs; each has the next one")
        ->check(whole())
        ->needs(seeds)
        ->group("Many runs");
    read_command_line(app, argc, argv);
    return o;
}

}  // namespace papilio::example::simulator
