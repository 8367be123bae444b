#include <papilio/miner.hpp>

#include "miner.hpp"

#include <member/command_line.hpp>
#include <member/logging.hpp>
#include <member/program.hpp>
#include <member/signals.hpp>

int papilio::run_miner(int argc, const char* const* argv, model& of)
{
    using namespace papilio::example;
    return run_program(program_name(argc, argv).c_str(), [&]() -> int {
        const miner_options options = parse_miner_options(argc, argv, of);
        log_from(options.run.log);
        signals asked_to_end("stopping after the current step or round", options.minutes);
        miner worker(options, of);
        worker.run(asked_to_end.token());
        const int number = asked_to_end.number();
        return number == 0 || worker.over() ? exit_ok : exit_by_signal(number);
    });
}
