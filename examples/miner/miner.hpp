#pragma once

#include "local_training.hpp"
#include "options.hpp"

#include <member/run_member.hpp>

#include <stop_token>
#include <string>

namespace papilio::example {

/// Trains a model by DiLoCo: after every `inner_steps` steps takes a step of the outer optimiser,
/// by the mean of all members of a run, or alone.
class miner {
public:
    /// Makes the trainer, or loads it. Throws a `problem` that says what to change.
    miner(const miner_options& o, papilio::model& of)
        : options_(o), training_(o, of), together_(training_, member_part(o, training_))
    {
    }

    /// Returns in good order when the run ends or `stop` is requested, after saving a checkpoint.
    void run(std::stop_token stop);

    /// Whether the run has ended, or as many of its rounds as were wanted.
    bool over() const { return together_.over(); }

    /// The state that was agreed on last, and its digest.
    const state_snapshot& state() const { return *training_.state(); }
    const std::string& digest() const { return training_.digest(); }

private:
    void run_alone(std::stop_token stop);
    bool train(std::stop_token stop);

    miner_options options_;
    local_training training_;
    run_member together_;
};

}  // namespace papilio::example
