#include "options.hpp"

#include <member/checks.hpp>
#include <member/command_line.hpp>
#include <member/logging.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

namespace papilio::example::chaos {

namespace {

constexpr const char* about =
    "Runs members of a run and its host over loopback, and makes them fail in many ways; checks "
    "every number that they compute, and that the run goes on.";

constexpr const char* examples = R"(
Examples:
  Twenty minutes of all kinds of faults among six members
    papilio-chaos --minutes 20 --peers 6 --seed 1
  What would happen when
    papilio-chaos --minutes 2 --seed 7 --schedule
  A run whose state lives with its members
    papilio-chaos --minutes 20 --host session
  Only lost validators and full disks, with the library's events kept in a folder
    papilio-chaos --minutes 5 --only host-kill,full-disk --folder kept --log info

Exit code: 0 when nothing was wrong; 1 when a number or a digest was wrong, the run was stuck, a
round failed although most of its members were unharmed, a process ended by itself or grew, and on
another failure; 143, 129 or 130 after SIGTERM, SIGHUP or Ctrl-C, if nothing was wrong until then; 2
for invalid options.)";

std::vector<std::string> fault_names()
{
    std::vector<std::string> names;
    for (const auto& f : faults) names.emplace_back(f.name);
    return names;
}

void add_schedule(CLI::App& app, chaos_options& o)
{
    const std::string schedule = "Schedule";
    app.add_option("--minutes", o.minutes, "how long the run lasts, 0.5 to 1440")
        ->check(between(0.5, 1440))
        ->group(schedule);
    app.add_option("--peers", o.peers, "members of the run, 3 to 64")
        ->check(whole(3, 64))
        ->group(schedule);
    app.add_option("--seed", o.seed, "equal seeds and options give equal schedules and vectors")
        ->check(whole())
        ->group(schedule);
    app.add_option("--every", o.every, "seconds between faults, on average, 0.5 to 3600")
        ->check(between(0.5, 3600))
        ->group(schedule);
    app.add_option("--only", o.only,
                   fmt::format("kinds of faults, a list: {}", fmt::join(fault_names(), ", ")))
        ->delimiter(',')
        ->transform(one_of(fault_names()))
        ->default_str("all")
        ->group(schedule);
    app.add_flag("--schedule", o.schedule, "print what would happen when, and end")
        ->group(schedule);
}

void add_run(CLI::App& app, chaos_options& o)
{
    const std::string run = "Run";
    app.add_option("--elements", o.elements, "numbers in a vector, 1 to 1048576")
        ->check(whole(1, 1 << 20))
        ->group(run);
    app.add_option("--host", o.host,
                   "who hosts the run: validator, which keeps a journal, or session, which keeps "
                   "nothing")
        ->transform(one_of({"validator", "session"}))
        ->default_str("validator")
        ->group(run);
    app.add_option("--folder", o.folder,
                   "folder for what the processes write; else it is removed unless the run fails")
        ->group(run);
    add_log(app, o.log, run);
}

}  // namespace

chaos_options parse_chaos_options(int argc, const char* const* argv)
{
    chaos_options o;
    CLI::App app(about, "papilio-chaos");
    app.footer(examples);
    app.option_defaults()->always_capture_default();
    app.get_formatter()->column_width(34);
    add_schedule(app, o);
    add_run(app, o);
    read_command_line(app, argc, argv);
    std::ranges::sort(o.only);
    o.only.erase(std::ranges::unique(o.only).begin(), o.only.end());
    return o;
}

std::string to_repeat(const chaos_options& o)
{
    auto line = fmt::format("papilio-chaos --minutes {} --peers {} --seed {} --every {}", o.minutes,
                            o.peers, o.seed, o.every);
    if (o.elements != chaos_options().elements) line += fmt::format(" --elements {}", o.elements);
    if (o.host == host_kind::session) line += " --host session";
    std::vector<std::string_view> names;
    for (const fault f : o.only) names.push_back(entry_of(f).name);
    if (!names.empty()) line += fmt::format(" --only {}", fmt::join(names, ","));
    return line;
}

}  // namespace papilio::example::chaos
