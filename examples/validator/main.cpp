#include "validator.hpp"

#include <member/logging.hpp>
#include <member/program.hpp>
#include <member/signals.hpp>

int main(int argc, char** argv)
{
    using namespace papilio::example;
    return run_program("papilio-validator", [&] {
        const validator_options options = parse_validator_options(argc, argv);
        log_from(options.run.log);
        signals asked_to_end(options.minutes);
        validator host_of_run(options);
        const bool good = host_of_run.run(asked_to_end.token());
        return good ? exit_ok : exit_unmet;
    });
}
