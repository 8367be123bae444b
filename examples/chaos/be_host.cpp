// The host of the run: what a validator does without a model. Its journal is all that it keeps.

#include "process_options.hpp"
#include "report_pipe.hpp"
#include "timing.hpp"

#include <member/log_line.hpp>
#include <member/logging.hpp>
#include <member/program.hpp>
#include <member/signals.hpp>
#include <validator/hosted_run.hpp>
#include <validator/run_host.hpp>

#include <papilio/base/random.hpp>
#include <papilio/session/session_host.hpp>

#include <cstdio>
#include <memory>
#include <utility>

namespace papilio::example::chaos {

namespace {

run_host_options host_options(const process_options& o, const journal& kept,
                              const std::string& first_digest)
{
    run_host_options h;
    h.listen = parse_endpoint(o.address);
    h.mesh.listen = {h.listen.host, 0};
    h.mesh.run = "chaos";
    h.mesh.idle_timeout = idle_link_ends;
    h.run.name = "chaos";
    h.run.parameters = o.elements;
    h.run.configuration = hash(o.seed, o.elements);
    h.run.digest = first_digest;
    if (kept.last()) go_on_from(*kept.last(), h.run);
    h.rendezvous = rendezvous_timing();
    h.codec = round_codec::none;
    h.outer = {.rate = 1, .momentum = 0};
    h.probe_bytes = std::size_t{256} << 10;
    return h;
}

void note(log_level level, const std::string& line)
{
    std::fprintf(stderr, "%s\n", log_line(name(level), line).c_str());
    tell_parent(doing{line});
}

void tell_round(const observation& seen)
{
    const auto& outcome = seen.outcome;
    if (outcome.ok) tell_parent(round_settled{outcome.group.round + 1, outcome.digest});
}

/// The host and the loop to which it belongs.
struct hosted {
    explicit hosted(const process_options& o) : kept(o.folder / "journal", "chaos")
    {
        const auto first = first_state(std::vector<float>(o.elements));
        const auto first_digest = digest(*first);
        background.call([&] {
            host =
                std::make_unique<run_host>(background.loop(), host_options(o, kept, first_digest),
                                           first, first_digest, kept, tell_round, note);
        });
    }
    ~hosted()
    {
        background.call([this] { host.reset(); });
    }
    hosted(const hosted&) = delete;
    hosted& operator=(const hosted&) = delete;

    void end()
    {
        background.call([this] { host->end(run_ending::over); });
    }

    journal kept;
    background_loop background;
    std::unique_ptr<run_host> host;
};

int host_by_validator(const process_options& o, const signals& asked_to_end)
{
    hosted here(o);
    tell_parent(hosting{tcp::to_string(here.host->address())});
    hosted_run run(here.background, here.host->run());
    const std::stop_callback at_end(asked_to_end.token(), [&] { here.end(); });
    run.end.get();
    return exit_ok;
}

session_host_options session_options(const process_options& o)
{
    const auto timing = rendezvous_timing().groups;
    session_host_options h;
    h.listen = o.address;
    h.run = "chaos";
    h.min_members = timing.min_group;
    h.patience = timing.group_wait;
    h.round_timeout = timing.round_timeout;
    h.fetch_hold = timing.fetch_hold;
    h.resume_wait = timing.resume_wait;
    h.note = [](const std::string& line) { note(log_level::info, line); };
    return h;
}

/// It knows of no digests; members compare theirs.
int host_by_session(const process_options& o, const signals& asked_to_end)
{
    session_host here(session_options(o));
    tell_parent(hosting{here.address()});
    std::uint32_t told = 0;
    while (!asked_to_end.token().stop_requested()) {
        here.wait_for_end(std::chrono::milliseconds(50));
        const auto round = here.round();
        if (round > told) tell_parent(round_settled{round, {}});
        told = round;
    }
    here.end();
    return exit_ok;
}

}  // namespace

int be_host(const process_options& o)
{
    return run_program("host", [&]() -> int {
        log_from(o.log);
        const signals asked_to_end("ending the run after the current round");
        return o.host == host_kind::session ? host_by_session(o, asked_to_end)
                                            : host_by_validator(o, asked_to_end);
    });
}

}  // namespace papilio::example::chaos
