#include <papilio/validator.hpp>

#include "validator.hpp"

#include <member/command_line.hpp>
#include <member/logging.hpp>
#include <member/program.hpp>
#include <member/signals.hpp>

int papilio::run_validator(int argc, const char* const* argv, model& of)
{
    using namespace papilio::example;
    return run_program(program_name(argc, argv).c_str(), [&]() -> int {
        const validator_options options = parse_validator_options(argc, argv, of);
        log_from(options.run.log);
        signals asked_to_end(options.minutes, SIGUSR1);
        validator host_of_run(options, of);
        const bool good = host_of_run.run(asked_to_end);
        if (host_of_run.paused()) return exit_by_signal(asked_to_end.number());
        return good ? exit_ok : exit_unmet;
    });
}
