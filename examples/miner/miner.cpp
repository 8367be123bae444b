#include "miner.hpp"

#include <member/state.hpp>

#include <utility>

namespace papilio::example {

void miner::run(std::stop_token stop)
{
    try {
        if (options_.alone)
            run_alone(stop);
        else
            together_.run(stop);
    } catch (const std::system_error& failure) {
        // What was learnt until then is kept, unless that is what has diverged.
        if (failure.code() == errc::not_finite)
            training_.finish_saving();
        else
            training_.save(true);
        throw;
    }
    training_.finish();
}

void miner::run_alone(std::stop_token stop)
{
    while (!over()) {
        if (!train(stop)) return;
        const state_snapshot& from = *training_.state();
        auto next = next_state(from);
        const auto update = training_.update();
        next->spans[0].assign(update.begin(), update.end());
        advance(from, *next, options_.run.outer);
        auto digest = example::digest(*next);
        training_.adopt(std::move(next), std::move(digest));
        training_.record_round(nullptr, 1);
        training_.save(false);
    }
}

/// False: `stop` was requested before the round's last step.
bool miner::train(std::stop_token stop)
{
    while (training_.steps_until_round() > 0) {
        if (stop.stop_requested()) return false;
        training_.step();
    }
    return true;
}

}  // namespace papilio::example
