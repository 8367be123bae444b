#include "options.hpp"

#include <member/checks.hpp>

#include <CLI/CLI.hpp>

namespace papilio::example {

namespace {

constexpr const char* about =
    "Measures what the links between machines carry: latency, and bandwidth each way.";

constexpr const char* examples = R"(
Examples:
  Two machines: the first one waits for the second
    papilio-probe --listen 0.0.0.0:5400
    papilio-probe 10.0.0.1:5400
  All pairs of four machines, ten seconds each way, as JSON
    papilio-probe --listen 0.0.0.0:5400 --peers 4 --seconds 10 --json
    papilio-probe 10.0.0.1:5400 --seconds 10 --json     (on each of the other three)

It ends with 0 when all went well, 1 on a failure, 2 when the options make no sense, and 3 when a
pair could not be measured.)";

void add_meeting(CLI::App& app, probe_options& o)
{
    const std::string meeting = "Meeting others";
    auto* join =
        app.add_option("rendezvous", o.rendezvous, "host:port to join at")->check(place_to_dial());
    app.add_option("--rendezvous", o.rendezvous, "the same")
        ->check(place_to_dial())
        ->excludes(join)
        ->group(meeting);
    auto* listen = app.add_option("--listen", o.listen, "host:port at which others join")
                       ->check(place_to_listen())
                       ->excludes(join)
                       ->group(meeting);
    app.add_option("--peers", o.peers, "of the group, this one included")
        ->check(CLI::Range(2, 256))
        ->needs(listen)
        ->group(meeting);
    app.add_option("--mesh", o.mesh, "host:port at which the others reach this one")
        ->check(place_to_listen())
        ->group(meeting);
    app.add_option("--group", o.group, "its name; members of other groups are turned away")
        ->check(readable_text())
        ->group(meeting);
    app.add_option("--patience", o.patience, "seconds until all must have come")
        ->check(above_zero(1e6))
        ->group(meeting);
}

void add_measuring(CLI::App& app, probe_options& o)
{
    const std::string measuring = "Measuring";
    app.add_option("--count", o.count, "messages there and back")
        ->check(CLI::Range(1, 10'000))
        ->group(measuring);
    app.add_option("--mib", o.mib, "MiB each way, where no time is given")
        ->check(between(1, 1024))
        ->group(measuring);
    app.add_option("--seconds", o.seconds, "each way, and a third of that for both at once")
        ->check(between(0, 60))
        ->group(measuring);
    app.add_option("--congestion", o.congestion, "TCP's congestion control: cubic, bbr, ...")
        ->group(measuring);
    app.add_flag("--json", o.json, "say it in JSON")->group(measuring);
}

}  // namespace

probe_options parse_probe_options(int argc, const char* const* argv)
{
    probe_options o;
    CLI::App app(about, "papilio-probe");
    app.footer(examples);
    app.option_defaults()->always_capture_default();
    app.get_formatter()->column_width(34);
    add_meeting(app, o);
    add_measuring(app, o);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        app.exit(asked);
        throw;
    }
    if (o.listen.empty() == o.rendezvous.empty())
        throw CLI::RequiredError("either --listen or a rendezvous to join at (host:port)");
    return o;
}

}  // namespace papilio::example
