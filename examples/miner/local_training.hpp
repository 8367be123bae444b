#pragma once

#include "checkpoint_saver.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "round_times.hpp"

#include <member/averaging.hpp>
#include <member/jsonl_log.hpp>
#include <member/run_member.hpp>
#include <member/run_work.hpp>
#include <trainer/training.hpp>

#include <papilio/base/random.hpp>
#include <papilio/session/member_network.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

/// The part of a miner that needs no network: the model in training, the state that was agreed on
/// last, their checkpoint, and the records of steps and rounds.
class local_training final : public run_work {
public:
    /// Makes the trainer, or loads it from the checkpoint. Throws a `problem` that says what to
    /// change.
    local_training(const miner_options& o, papilio::model& of);

    const miner_options& options() const { return options_; }
    std::uint64_t parameters() const { return training_.size(); }

    /// A number that is the same whenever this miner comes back, and another for every miner.
    std::uint64_t identity() const { return hash(training_.place().peer) | 1; }

    /// The state that was agreed on last, and its digest.
    const shared_state& state() const override { return state_; }
    const std::string& digest() const override { return digest_; }

    /// Takes one step, and records it.
    void step() override;
    std::uint64_t steps_in_round() const override { return steps_in_round_; }
    std::uint64_t steps_until_round() const override;
    double seconds_per_step() const override { return progress_.seconds_per_step(); }

    /// What the rendezvous is told before a round.
    wire::round_ready readiness() const override;

    /// Computes this miner's pseudo-gradient: the way from the agreed state to the trained weights.
    /// Waits for the checkpoint that is being saved, so that no round is settled before the
    /// checkpoint of the one before is on the disk.
    std::span<const float> update() override;

    /// The all-reduce has ended; before it, this miner has waited for the others.
    void saw_attempt(const wire::group&, const average_result& how,
                     std::span<const float>) override;

    /// Errors of lossy codecs in earlier updates, which later ones correct.
    update_residuals& residuals() override { return residuals_; }

    /// Continues from this state, whose round is over.
    void adopt(shared_state next, std::string digest) override;

    /// Records a round. `how` is null where this miner trained alone.
    void record_round(const average_result* how, std::size_t members) override;
    void record_fetch() override;

    /// Begins to save a checkpoint when one is due or `last`, unless the same was saved already;
    /// the `last` one is complete when this returns. False: that could not be saved; the user has
    /// been told.
    bool save(bool last) override;

    /// Waits for the checkpoint that is being saved.
    void finish_saving() { saver_.finish(); }

    /// Saves a last checkpoint, and records the end of the run. Throws a `problem` when the
    /// checkpoint could not be saved.
    void finish();

    void print(log_level level, const std::string& line) override { progress_.print(line, level); }
    void print_waiting(const std::string& line) override { progress_.waiting(line); }

private:
    void load();
    void resume();
    void record_step(const step_report& r);
    std::string record_parts(nlohmann::ordered_json& line);

    miner_options options_;
    std::unique_ptr<checkpoint_folder> kept_;  // null: no checkpoints are wanted
    training training_;
    shared_state state_;
    std::string digest_;
    std::vector<float> update_;
    update_residuals residuals_{0};
    progress progress_;
    checkpoint_saver saver_;
    jsonl_log metrics_;

    std::uint64_t tokens_in_round_ = 0;
    std::uint64_t steps_in_round_ = 0;
    double last_loss_ = 0;
    round_times times_;
};

/// What `run_member` is told for a run of this miner.
run_member_options member_part(const miner_options& o, const local_training& training);

}  // namespace papilio::example
