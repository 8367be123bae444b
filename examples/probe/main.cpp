#include "group.hpp"

#include <member/logging.hpp>
#include <member/program.hpp>
#include <member/signals.hpp>

#include <papilio/async/cancellation.hpp>
#include <papilio/async/sync_wait.hpp>

#include <cstdio>

namespace {

void invite(const std::string& address)
{
    std::fprintf(stderr, "others join with: papilio-probe %s\n", address.c_str());
}

}  // namespace

int main(int argc, char** argv)
{
    using namespace papilio::example;
    return run_program("papilio-probe", [&]() -> int {
        const probe_options options = parse_probe_options(argc, argv);
        log_from(options.log);
        signals asked_to_end("stopping without a result");
        papilio::asio_loop loop;
        auto work = unless_stopped(measure_group(loop, options, invite), asked_to_end.token());
        group_figures found;
        try {
            found = papilio::sync_wait(loop, std::move(work));
        } catch (const std::system_error& failure) {
            if (failure.code() == std::errc::operation_canceled)
                return exit_by_signal(asked_to_end.number());
            throw;
        }
        const auto text =
            options.json ? to_json(found.links, found.peers) : to_table(found.links, found.peers);
        std::fputs(text.c_str(), stdout);
        return found.links.complete() ? exit_ok : exit_unmet;
    });
}
