#include "options.hpp"

#include <member/log_line.hpp>
#include <member/logging.hpp>
#include <member/program.hpp>
#include <member/signals.hpp>

#include <papilio/session.hpp>

#include <csignal>
#include <cstdio>
#include <string>

namespace {

void note(const std::string& line)
{
    std::fprintf(stderr, "%s\n", papilio::example::log_line("info", line).c_str());
}

}  // namespace

int main(int argc, char** argv)
{
    using namespace papilio::example;
    return run_program("papilio-rendezvous", [&]() -> int {
        rendezvous_program_options options = parse_rendezvous_options(argc, argv);
        log_from(options.log);
        const signals asked_to_end("pausing the run", options.minutes);
        options.host.note = note;
        papilio::session_host host(options.host);
        note("members join the run '" + options.host.run + "' at " + host.address());
        while (!host.wait_for_end(std::chrono::milliseconds(200))) {
            if (!asked_to_end.token().stop_requested()) continue;
            const int number = asked_to_end.number();
            if (number == 0 || number == SIGINT) {
                host.end();
                return exit_ok;
            }
            host.pause();
            return exit_by_signal(number);
        }
        note("the run is over after round " + std::to_string(host.round()));
        return exit_ok;
    });
}
