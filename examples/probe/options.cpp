#include "options.hpp"

#include <member/checks.hpp>
#include <member/command_line.hpp>
#include <member/logging.hpp>

#include <CLI/CLI.hpp>

namespace papilio::example {

namespace {

constexpr const char* about =
    "Measures the latency and the bandwidth, each way, of the links between machines.";

constexpr const char* examples = R"(
Examples:
  Two machines: the first one waits for the second
    papilio-probe --listen :5400
    papilio-probe 10.0.0.1:5400
  All pairs of four machines, ten seconds each way, as JSON
    papilio-probe --listen :5400 --peers 4 --seconds 10 --json
    papilio-probe 10.0.0.1:5400 --seconds 10 --json     (on each of the other three)

Exit code: 0 on success; 3 when a pair could not be measured; 143, 129 or 130 after SIGTERM, SIGHUP
or Ctrl-C; 75 when it has waited for --patience in vain; 77 when it is refused for good; 1 on
another failure; 2 for invalid options.)";

void add_network(CLI::App& app, probe_options& o)
{
    const std::string network = "Network";
    auto* join =
        app.add_option("rendezvous", o.rendezvous, "host:port to join at")->check(remote_address());
    app.add_option("--rendezvous", o.rendezvous, "the same")
        ->check(remote_address())
        ->excludes(join)
        ->group(network);
    auto* listen = app.add_option("--listen", o.listen, "host:port at which others join")
                       ->check(listen_address())
                       ->excludes(join)
                       ->group(network);
    app.add_option("--peers", o.peers, "peers in the group including this one, 2 to 256")
        ->check(whole(2, 256))
        ->needs(listen)
        ->group(network);
    app.add_option("--mesh", o.mesh, "host:port at which other peers connect")
        ->check(listen_address())
        ->group(network);
    app.add_option("--group", o.group, "name of the group; peers of other groups are refused")
        ->check(readable_text())
        ->group(network);
    app.add_option("--patience", o.patience, "seconds within which all peers must join")
        ->check(above_zero(1e6))
        ->group(network);
}

void add_measuring(CLI::App& app, probe_options& o)
{
    const std::string measuring = "Measuring";
    app.add_option("--count", o.count, "messages per round-trip measurement, 1 to 10000")
        ->check(whole(1, 10'000))
        ->group(measuring);
    app.add_option("--mib", o.mib, "MiB sent each way, without --seconds, 1 to 1024")
        ->check(between(1, 1024))
        ->group(measuring);
    app.add_option("--seconds", o.seconds, "seconds each way, and a third of it both ways at once")
        ->check(between(0, 60))
        ->group(measuring);
    app.add_option("--congestion", o.congestion, "congestion control of TCP: cubic, bbr, ...")
        ->group(measuring);
    app.add_flag("--json", o.json, "print JSON")->group(measuring);
    add_log(app, o.log, measuring);
}

}  // namespace

probe_options parse_probe_options(int argc, const char* const* argv)
{
    probe_options o;
    CLI::App app(about, "papilio-probe");
    app.footer(examples);
    app.option_defaults()->always_capture_default();
    app.get_formatter()->column_width(34);
    add_network(app, o);
    add_measuring(app, o);
    read_command_line(app, argc, argv);
    if (o.listen.empty() == o.rendezvous.empty())
        throw CLI::RequiredError("either --listen or a rendezvous to join at (host:port)");
    return o;
}

}  // namespace papilio::example
