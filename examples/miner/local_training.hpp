#pragma once

#include "options.hpp"
#include "progress.hpp"

#include <member/averaging.hpp>
#include <member/jsonl_log.hpp>
#include <member/member_network.hpp>
#include <member/outage.hpp>
#include <member/state.hpp>
#include <trainer/trainer.hpp>

#include <papilio/base/random.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace papilio::example {

/// The part of a miner that needs no network: the model in training, the state that was agreed on
/// last, their checkpoint, and the records of steps and rounds.
class local_training {
public:
    /// Builds the model, or loads it from the checkpoint. Throws a `problem` that says what to
    /// change.
    explicit local_training(const miner_options& o);

    const miner_options& options() const { return options_; }
    std::uint64_t parameters() const { return trainer_.size(); }

    /// A number that is the same whenever this miner comes back, and another for every miner.
    std::uint64_t identity() const { return hash(trainer_.options().peer) | 1; }

    /// The state that was agreed on last, and its digest.
    const shared_state& state() const { return state_; }
    const std::string& digest() const { return digest_; }

    /// Takes one step, and records it.
    void step();
    std::uint64_t steps_in_round() const { return steps_in_round_; }
    std::uint64_t steps_until_round() const;

    /// What the rendezvous is told before a round.
    wire::round_ready readiness() const;

    /// Computes this miner's pseudo-gradient: the way from the agreed state to the trained weights.
    const std::vector<float>& update();
    const std::vector<float>& last_update() const { return update_; }

    /// Errors of lossy codecs in earlier updates, which later ones correct.
    update_residuals& residuals() { return residuals_; }

    /// Continues from this state, whose round is over.
    void adopt(shared_state next, std::string digest);

    /// Records a round. `how` is null where this miner trained alone.
    void record_round(const average_result* how, std::size_t members);
    void record_fetch();

    /// Saves a checkpoint when one is due or `last`, unless the same was saved already. False: it
    /// could not be saved; the user has been told.
    bool save(bool last);

    /// Saves a last checkpoint, and records the end of the run. Throws a `problem` when the
    /// checkpoint could not be saved.
    void finish();

    progress& display() { return progress_; }

private:
    void load();
    void resume();

    miner_options options_;
    std::unique_ptr<checkpoint_folder> kept_;  // null: no checkpoints are wanted
    trainer trainer_;
    shared_state state_;
    std::string digest_;
    std::vector<float> update_;
    update_residuals residuals_{0};
    progress progress_;
    jsonl_log metrics_;

    std::uint64_t tokens_in_round_ = 0;
    std::uint64_t steps_in_round_ = 0;
    double last_loss_ = 0;
    std::pair<std::uint32_t, std::uint64_t> saved_{};  // round and step of the checkpoint
    outage unsaved_;
};

}  // namespace papilio::example
