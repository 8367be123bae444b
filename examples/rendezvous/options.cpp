#include "options.hpp"

#include <member/checks.hpp>
#include <member/command_line.hpp>
#include <member/logging.hpp>
#include <member/seconds.hpp>

#include <CLI/CLI.hpp>

namespace papilio::example {

namespace {

constexpr const char* about =
    "Hosts an elastic run: members join here, and are told with whom they average next. It holds "
    "no "
    "state; that lives with the members.";

constexpr const char* examples = R"(
Examples:
  Members on this machine and others join at port 5400
    papilio-rendezvous
  Rounds of at least three, which wait ten seconds for whoever is late
    papilio-rendezvous --min-members 3 --patience 10

SIGTERM and SIGHUP pause the run: its members wait for the host to come back, and go on from their
state then. Ctrl-C ends it.
Exit code: 0 when the run has ended; 143 or 129 when it was paused; 1 on a failure; 2 for invalid
options.)";

/// The seconds of an option, before they become a duration.
struct waits {
    double patience = 30;
    double round_timeout = 60;
    double hold = 60;
    double resume_wait = 30;
};

void add_rounds(CLI::App& app, session_host_options& o, waits& seconds)
{
    const std::string rounds_of_run = "Rounds";
    app.add_option("--min-members", o.min_members, "fewest members in a round, 1 to 4095")
        ->check(whole(1, 4095))
        ->group(rounds_of_run);
    app.add_option("--max-members", o.max_members,
                   "most members in a round, 1 to 4095; beyond it they take turns")
        ->check(whole(1, 4095))
        ->group(rounds_of_run);
    app.add_option("--rounds", o.rounds, "rounds after which the run is over; 0: no limit")
        ->check(rounds())
        ->group(rounds_of_run);
    app.add_option("--patience", seconds.patience,
                   "seconds to wait for members that are late after the first is ready")
        ->check(above_zero(1e6))
        ->group(rounds_of_run);
    app.add_option("--round-timeout", seconds.round_timeout, "limit of a round in seconds")
        ->check(above_zero(1e6))
        ->group(rounds_of_run);
    app.add_option("--hold", seconds.hold,
                   "seconds that a round waits for a member that fetches the state; 0: not at all")
        ->check(between(0, 1e6))
        ->group(rounds_of_run);
    app.add_option("--resume-wait", seconds.resume_wait,
                   "seconds to wait for whoever holds the state, when nobody else does")
        ->check(between(0, 1e6))
        ->group(rounds_of_run);
}

}  // namespace

rendezvous_program_options parse_rendezvous_options(int argc, const char* const* argv)
{
    rendezvous_program_options o;
    o.host.listen = ":5400";
    waits seconds;
    CLI::App app(about, "papilio-rendezvous");
    app.footer(examples);
    app.add_option("--listen", o.host.listen, "host:port at which members join")
        ->check(listen_address());
    app.add_option("--run", o.host.run, "name of the run; members of other runs are refused")
        ->check(readable_text());
    app.add_option("--advertise", o.host.advertise,
                   "host by which members elsewhere reach those on this machine")
        ->transform(reachable_host());
    app.add_option("--minutes", o.minutes, "end the run after so long; 0: no limit")
        ->check(zero_or_more());
    add_rounds(app, o.host, seconds);
    add_log(app, o.log, "Output");
    read_command_line(app, argc, argv);
    o.host.patience = seconds_long(seconds.patience);
    o.host.round_timeout = seconds_long(seconds.round_timeout);
    o.host.fetch_hold = seconds_long(seconds.hold);
    o.host.resume_wait = seconds_long(seconds.resume_wait);
    return o;
}

}  // namespace papilio::example
