#pragma once

#include "progress.hpp"

#include <member/averaging.hpp>
#include <member/background_writer.hpp>
#include <member/outage.hpp>
#include <member/state.hpp>
#include <trainer/checkpoint_folder.hpp>
#include <trainer/training.hpp>

#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::example {

/// Saves checkpoints of a miner, from a snapshot that is written beside its training. All calls
/// come from the thread that trains.
///
/// There is one snapshot: the next is taken when the one before has been written. To leave one out
/// instead, where rounds are shorter than a write, would lose more rounds than --checkpoint-every
/// says. When a checkpoint cannot be written the one before stays in force, the user is told, once
/// until it works again, and the next is tried. What has begun when this is destroyed is complete.
class checkpoint_saver {
public:
    /// Where `in` is null nothing is kept. All three must outlive this.
    checkpoint_saver(checkpoint_folder* in, const training& of, progress& tells)
        : folder_(in), training_(of), progress_(tells)
    {
    }

    /// The state of the training as it is now needs no checkpoint: one holds it, or it is the
    /// first.
    void skip(const state_snapshot& agreed) { saved_ = wanted_ = place_of(agreed); }

    /// Takes a snapshot and begins to write it, unless the same was saved already. Waits for the
    /// checkpoint before.
    void begin(shared_state agreed, const update_residuals& unsent);

    /// Waits for the checkpoint that is being written. False: the last one could not be saved.
    bool finish();

    /// Whether `finish` would not wait.
    bool ended() const { return writer_.ended(); }

private:
    using place = std::pair<std::uint32_t, std::uint64_t>;  // round and step

    /// What a checkpoint is written from. Nobody changes it while that lasts.
    struct snapshot {
        training_snapshot training;
        shared_state agreed;
        std::vector<float> unsent;
    };

    place place_of(const state_snapshot& agreed) const
    {
        return {agreed.round, training_.next_step()};
    }
    void tell(const std::system_error& why);

    checkpoint_folder* folder_;
    const training& training_;
    progress& progress_;
    place wanted_{};  // of what was to be saved last
    place saved_{};   // of what has been
    outage unsaved_;
    snapshot snapshot_;
    background_writer writer_;  // last: it uses the rest
};

}  // namespace papilio::example
