#include "miner.hpp"

#include <member/logging.hpp>
#include <member/program.hpp>
#include <member/signals.hpp>

int main(int argc, char** argv)
{
    using namespace papilio::example;
    return run_program("papilio-miner", [&]() -> int {
        const miner_options options = parse_miner_options(argc, argv);
        log_from(options.run.log);
        signals asked_to_end("stopping after the current step or round", options.minutes);
        miner worker(options);
        worker.run(asked_to_end.token());
        const int number = asked_to_end.number();
        return number == 0 || worker.over() ? exit_ok : exit_by_signal(number);
    });
}
