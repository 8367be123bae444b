#pragma once

#include "adamw.hpp"
#include "checkpoint_folder.hpp"
#include "corpus.hpp"
#include "gpt2.hpp"
#include "gpt2_config.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::example {

/// The options that determine the results of a trainer.
struct trainer_options {
    gpt2_config model;              ///< usually `preset(name)`
    std::vector<std::string> data;  ///< files, patterns or directories: see `corpus`
    std::uint64_t seed = 1;         ///< of the first weights and the batches; equal on all peers
    std::filesystem::path init;     ///< of a GPT-2 to begin with instead: `read_transformers_gpt2`
    std::uint64_t peer = 0;         ///< selects the batches; different on each peer
    std::size_t batch = 8;          ///< sequences in one forward pass
    std::size_t accumulation = 1;   ///< forward passes in one step
    std::size_t length = 0;         ///< tokens in a sequence; 0 = the model's context
    double held_out = 0.05;         ///< share of the text kept for evaluation
    learning_rate_schedule rate;
    adamw_options optimizer;
    device_kind device = device_kind::automatic;
    precision compute = precision::automatic;
};

/// The results of one step.
struct step_report {
    std::uint64_t step = 0;    ///< its number, counted from 0
    double loss = 0;           ///< before the update, in nats per token
    double gradient_norm = 0;  ///< before clipping
    double rate = 0;           ///< the learning rate
    std::size_t tokens = 0;    ///< trained on
    double seconds = 0;        ///< of wall time

    double tokens_per_second() const { return static_cast<double>(tokens) / seconds; }
};

/// What training changes, as it is between two steps.
struct trainer_view {
    std::uint64_t next_step = 0;
    std::uint64_t updates = 0;
    std::span<const float> weights;
    std::span<const float> first;  ///< moments of AdamW; empty before the first update
    std::span<const float> second;
};

/// A copy of it.
struct trainer_snapshot {
    std::uint64_t next_step = 0;
    std::uint64_t updates = 0;
    std::vector<float> weights, first, second;

    trainer_view view() const { return {next_step, updates, weights, first, second}; }
};

/// The state of DiLoCo's outer optimiser, to be saved in a checkpoint. Each vector is as long as
/// the model's flat buffer, or empty.
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

/// Trains a GPT-2 on text, without a network: between steps the caller reads and replaces the
/// weights, and the optimiser keeps its moments, as in DiLoCo.
///
/// With one thread the same options give the same bits at every step on the same machine.
class trainer {
public:
    /// Opens the data and makes the first weights. Throws a `problem` that says what to change.
    explicit trainer(const trainer_options& options);

    const trainer_options& options() const { return options_; }
    const gpt2& model() const { return model_; }

    /// Whether the data is text, whose bytes are the tokens, though the model knows more of them.
    bool wastes_vocabulary() const { return text_.is_text() && options_.model.vocabulary > 256; }

    /// The number of the next step, which determines its batch and its learning rate.
    std::uint64_t next_step() const { return next_step_; }

    /// Continues at another step: for a peer that joins a run at that step.
    void skip_to(std::uint64_t step) { next_step_ = step; }

    /// One update of the weights. Throws a `problem` and leaves weights and moments as they were
    /// when the loss or its gradient is not finite.
    step_report step();

    /// Loss on the held-out text in nats per token, over at most `most` sequences (0 = all): the
    /// same ones at every call and on every peer that has the same text.
    double evaluate(std::size_t most = 0) const;

    /// Over how many sequences that is.
    std::size_t evaluated_sequences(std::size_t most = 0) const;

    /// The loss of a model that knows only the frequencies of the tokens: see `unigram_entropy`. A
    /// trained model must be below it.
    double held_out_entropy() const;

    /// Number of weights.
    std::size_t size() const { return model_.size(); }

    /// All weights in the order of `layout`, on the host, until the next call of any other member.
    std::span<const float> parameters() const { return model_.read(); }

    /// Replaces all weights.
    void set_parameters(std::span<const float> weights) { model_.write(weights); }

    /// SHA-256 of the weights: equal on two peers when every bit is.
    std::string digest() const;

    /// Copies what training changes into `to`, whose memory is used again.
    void take_snapshot(trainer_snapshot& to) const;

    /// Saves the whole state of the training at the time of `then`: see `checkpoint_writer`. The
    /// weights are `model.safetensors` and `config.json` as Hugging Face's GPT-2 reads them.
    /// Returns the checkpoint's folder. Uses nothing that training changes, so that another thread
    /// may save while this trainer goes on.
    std::filesystem::path save_snapshot(checkpoint_folder& in, const trainer_view& then,
                                        const outer_view& outer = {}, std::size_t keep = 2) const;

    /// Saves the state as it is now.
    std::filesystem::path save(checkpoint_folder& in, const outer_view& outer = {},
                               std::size_t keep = 2) const;

    /// Continues from the latest checkpoint under `directory`, with the same results as without the
    /// interruption. Throws a `problem`, and nothing has changed, when the checkpoint is damaged,
    /// holds a model of another shape, or was made with another seed, peer, batch size or text. The
    /// learning rate schedule may differ: that of this trainer counts.
    outer_state resume(const std::filesystem::path& directory);

private:
    trainer_options options_;
    corpus text_;
    split split_;
    gpt2 model_;
    adamw optimizer_;
    std::uint64_t next_step_ = 0;
    std::vector<std::int64_t> tokens_;
};

}  // namespace papilio::example
