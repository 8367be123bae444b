#pragma once

#include "checkpoint_folder.hpp"

#include <papilio/trainer.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::example {

/// The results of one step.
struct step_report : step_result {
    std::uint64_t step = 0;  ///< its number, counted from 0
    double seconds = 0;      ///< of wall time

    double tokens_per_second() const { return static_cast<double>(tokens) / seconds; }
};

/// The number of parameters in a piece of them.
std::size_t elements_of(const named_shape& piece);

/// What training changes, as it is between two steps.
struct training_view {
    std::uint64_t next_step = 0;
    std::span<const float> parameters;
    const trainer_record& own;
};

/// A copy of it.
struct training_snapshot {
    std::uint64_t next_step = 0;
    std::vector<float> parameters;
    trainer_record own;

    training_view view() const { return {next_step, parameters, own}; }
};

/// The state of DiLoCo's outer optimiser, to be saved in a checkpoint. Each vector is as long as
/// the parameters, or empty.
struct outer_view {
    std::uint64_t round = 0;
    std::span<const float> anchor = {};  ///< the last weights that all peers agreed on
    std::span<const float> momentum = {};
    std::span<const float> residuals = {};  ///< of error feedback
    std::string_view record = {};           ///< of the run so far, as JSON
};

/// The same, as read from a checkpoint.
struct outer_state {
    std::uint64_t round = 0;
    std::vector<float> anchor;
    std::vector<float> momentum;
    std::vector<float> residuals;
    std::string record;
};

/// A trainer at work, without a network: counts its steps, and saves and resumes it. Between steps
/// the caller reads and replaces the weights, as in DiLoCo.
class training {
public:
    /// `peer` selects the data of the steps.
    training(std::unique_ptr<papilio::trainer> t, std::uint64_t peer);

    papilio::trainer& of() { return *trainer_; }
    const papilio::trainer& of() const { return *trainer_; }

    /// The place of the next step, and its number.
    data_place place() const { return next_; }
    std::uint64_t next_step() const { return next_.step; }

    /// Continues at another step: for a peer that joins a run at that step.
    void skip_to(std::uint64_t step) { next_.step = step; }

    /// One update of the weights. Throws a `problem` where the trainer cannot make it; with
    /// `errc::not_finite` when the loss is not finite.
    step_report step();

    /// Throws a `problem` as well.
    held_out_loss evaluate(std::size_t most = 0);

    /// Number of weights.
    std::size_t size() const { return size_; }

    /// All weights, until the next call of any other member.
    std::span<const float> parameters() const { return trainer_->parameters(); }

    /// Replaces all weights.
    void set_parameters(std::span<const float> weights) { trainer_->set_parameters(weights); }

    /// SHA-256 of the weights: equal on two peers when every bit is.
    std::string digest() const;

    /// Copies what training changes into `to`, whose memory is used again.
    void take_snapshot(training_snapshot& to) const;

    /// Saves the whole state of the training at the time of `then`: see `checkpoint_writer`.
    /// Returns the checkpoint's folder. Uses nothing that training changes, so that another thread
    /// may save while this goes on.
    std::filesystem::path save_snapshot(checkpoint_folder& in, const training_view& then,
                                        const outer_view& outer = {}, std::size_t keep = 2) const;

    /// Saves the state as it is now.
    std::filesystem::path save(checkpoint_folder& in, const outer_view& outer = {},
                               std::size_t keep = 2) const;

    /// Continues from the latest checkpoint under `directory`, with the same results as without the
    /// interruption. Throws a `problem`, and the weights and the next step are as before, when the
    /// checkpoint is damaged, holds another model, or was made with another peer or other `draws`.
    outer_state resume(const std::filesystem::path& directory);

private:
    named_values draws() const;

    std::unique_ptr<papilio::trainer> trainer_;
    std::size_t size_;
    named_values draws_;  // of the trainer; asked for once, since other threads save
    std::vector<named_shape> layout_;
    data_place next_;
};

}  // namespace papilio::example
