#include "miner.hpp"

#include <member/logging.hpp>
#include <member/program.hpp>
#include <member/signals.hpp>

int main(int argc, char** argv)
{
    using namespace papilio::example;
    return run_program("papilio-miner", [&] {
        const miner_options options = parse_miner_options(argc, argv);
        log_from(options.run.log);
        signals asked_to_end(options.minutes);
        miner worker(options);
        worker.run(asked_to_end.token());
        return exit_ok;
    });
}
