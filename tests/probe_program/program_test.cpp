// The probe as a program: groups that meet over loopback, what they print, what they end with.

#include <member/program.hpp>
#include <member/program_run.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace papilio::example;

namespace {

/// Measures as little as it may.
std::vector<std::string> quick(const std::vector<std::string>& more)
{
    return joined({"--mesh", "127.0.0.1:0", "--count", "5", "--mib", "1", "--patience", "60"},
                  more);
}

/// The last word of the line that invites others.
std::string address_of(program_run& host)
{
    auto line = host.line_with("others join with");
    REQUIRE_FALSE(line.empty());
    line.pop_back();
    return line.substr(line.rfind(' ') + 1);
}

struct ending {
    int code = 0;
    std::string output;
};

ending run_of(std::vector<std::string> arguments)
{
    program_run probe(PAPILIO_PROBE, std::move(arguments));
    const int code = probe.end();
    return {code, probe.output()};
}

}  // namespace

TEST_CASE("two machines measure each other, and both say what they found", "[program]")
{
    program_run host(PAPILIO_PROBE, quick({"--listen", "127.0.0.1:0"}));
    const auto guest = run_of(quick({address_of(host)}));
    CHECK(guest.code == exit_ok);
    CHECK(host.end() == exit_ok);
    for (const auto& output : {guest.output, host.output()}) {
        CHECK(mentions(output, "this one"));
        CHECK(mentions(output, "from the row's peer to the column's"));
        CHECK(mentions(output, "99 of 100 are shorter than"));
        CHECK_FALSE(mentions(output, "both ways at the same time"));
        CHECK_FALSE(mentions(output, "papilio: "));
    }
}

TEST_CASE("with --log, what happens in the library is printed, from a level on", "[program]")
{
    program_run host(PAPILIO_PROBE, quick({"--listen", "127.0.0.1:0", "--log", "info"}));
    const auto guest = run_of(quick({address_of(host), "--log", "debug"}));
    CHECK(guest.code == exit_ok);
    CHECK(host.end() == exit_ok);
    CHECK(mentions(host.output(), "papilio: info: member joined member=1"));
    CHECK(mentions(host.output(), "papilio: info: link established rank=0 peer=1 kind=tcp"));
    CHECK_FALSE(mentions(host.output(), "papilio: debug"));
    CHECK(mentions(guest.output, "papilio: info: group joined member=1"));
    CHECK(mentions(guest.output, "papilio: debug: call succeeded"));
}

TEST_CASE("a group's matrix is the same for all, as JSON and as a table", "[program]")
{
    const std::vector<std::string> json{"--json", "--seconds", "0.1"};
    program_run host(PAPILIO_PROBE,
                     joined(quick({"--listen", "127.0.0.1:0", "--peers", "3"}), json));
    const auto at = address_of(host);
    program_run second(PAPILIO_PROBE, joined(quick({"--rendezvous", at}), json));
    program_run third(PAPILIO_PROBE, quick({"--rendezvous", at, "--seconds", "0.1"}));
    CHECK(host.end() == exit_ok);
    CHECK(second.end() == exit_ok);
    CHECK(third.end() == exit_ok);
    CHECK(mentions(third.output(), "both ways at the same time"));

    const auto found = [](const std::string& output) {
        return nlohmann::json::parse(output.substr(output.find('{')));
    };
    const auto all = found(second.output());
    CHECK(all["links"] == found(host.output())["links"]);
    CHECK(all["version"] == 1);
    CHECK(all["peers"].size() == 3);
    CHECK(all["links"].size() == 6);
    for (const auto& link : all["links"]) {
        CHECK(link["bytes_per_second"] > 0);
        CHECK(link["duplex_bytes_per_second"] > 0);
        CHECK(link["rtt_min_ms"] > 0);
        CHECK(link["rtt_min_ms"] <= link["rtt_p50_ms"]);
        CHECK(link["rtt_p50_ms"] <= link["rtt_p99_ms"]);
    }
    for (const auto& peer : all["peers"]) CHECK(peer["up_bytes_per_second"] > 0);
}

TEST_CASE("a probe says what is wrong, and ends with the code for it", "[program]")
{
    const auto says = [](std::vector<std::string> arguments, int code, const char* words) {
        const auto how = run_of(std::move(arguments));
        INFO(how.output);
        CHECK(how.code == code);
        CHECK(mentions(how.output, words));
    };
    says({}, exit_usage, "either --listen or a rendezvous");
    says({"nowhere"}, exit_usage, "'nowhere' is no address");
    says({"127.0.0.1:1", "--listen", "127.0.0.1:0"}, exit_usage, "excludes");
    says({"127.0.0.1:1", "--log", "loud"}, exit_usage,
         "--log: loud not in {off,warning,info,debug}");
    says({"127.0.0.1:1", "--patience", "0.2"}, exit_failure, "is a papilio-probe with --listen");
    says({"--listen", "127.0.0.1:0", "--congestion", "nonsense"}, exit_failure,
         R"(no TCP congestion control "nonsense")");
    says({"--listen", "127.0.0.1:0", "--patience", "0.2"}, exit_failure,
         "1 of 2 peers have joined within 0.2 s");
    says({"--help"}, exit_ok, "Examples:");

    program_run host(PAPILIO_PROBE, quick({"--listen", "127.0.0.1:0"}));
    const auto at = address_of(host);
    says(quick({at, "--group", "other"}), exit_refused, R"(this is the run "probe", not "other")");
    host.signal(SIGTERM);
    CHECK(host.end() == exit_by_signal(SIGTERM));
}

TEST_CASE("a group that does not come together ends when its patience does", "[program]")
{
    program_run host(PAPILIO_PROBE, quick({"--listen", "127.0.0.1:0", "--peers", "3"}));
    const auto guest = run_of({address_of(host), "--mesh", "127.0.0.1:0", "--patience", "2"});
    INFO(guest.output);
    CHECK(guest.code == exit_failure);
    CHECK(mentions(guest.output, "the group was not complete within 2 s"));
    host.signal(SIGTERM);
    CHECK(host.end() == exit_by_signal(SIGTERM));
}

TEST_CASE("a probe that listens everywhere invites by its machine's name", "[program]")
{
    program_run host(PAPILIO_PROBE, quick({"--listen", "0.0.0.0:0"}));
    const auto at = address_of(host);
    CHECK_FALSE(mentions(at, "0.0.0.0"));
    host.signal(SIGTERM);
    CHECK(host.end() == exit_by_signal(SIGTERM));
}
