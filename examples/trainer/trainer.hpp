#pragma once

#include "adamw.hpp"
#include "corpus.hpp"
#include "gpt2.hpp"
#include "gpt2_config.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

/// Everything that decides what a trainer computes.
struct trainer_options {
    gpt2_config model;              ///< usually `preset(name)`
    std::vector<std::string> data;  ///< files, patterns or directories: see `corpus`
    std::uint64_t seed = 1;         ///< of the first weights and the draws; one for all peers
    std::uint64_t peer = 0;         ///< whose batches are drawn; another for each peer
    std::size_t batch = 8;          ///< sequences in one forward pass
    std::size_t accumulation = 1;   ///< forward passes in one step
    std::size_t length = 0;         ///< tokens in a sequence; 0 = the model's context
    double held_out = 0.05;         ///< share of the text that is never trained on
    schedule rate;
    adamw_options optimizer;
    device_kind device = device_kind::automatic;
    precision compute = precision::automatic;
};

/// What one step did.
struct step_report {
    std::uint64_t step = 0;    ///< its number, counted from 0
    double loss = 0;           ///< before the update, in nats per token
    double gradient_norm = 0;  ///< before clipping
    double rate = 0;           ///< the learning rate
    std::size_t tokens = 0;    ///< trained on
    double seconds = 0;        ///< of wall time

    double tokens_per_second() const { return static_cast<double>(tokens) / seconds; }
};

/// What DiLoCo must remember from round to round, on its way into a checkpoint. Each vector is as
/// long as the model's flat buffer, or empty.
struct outer_view {
    std::uint64_t round = 0;
    std::span<const float> anchor = {};  ///< the weights that all peers agreed on last
    std::span<const float> momentum = {};
    std::span<const float> unsent = {};  ///< what others have not got yet of this peer's updates
};

/// The same, on its way out.
struct outer_state {
    std::uint64_t round = 0;
    std::vector<float> anchor;
    std::vector<float> momentum;
    std::vector<float> unsent;
};

/// Trains a GPT-2 on text. It knows no network: between steps its owner reads and replaces the
/// weights, and the optimiser's moments survive that, as in DiLoCo.
///
/// With one thread the same options give the same bits at every step on the same machine.
class trainer {
public:
    /// Opens the data and makes the first weights. Throws a `problem` that says what to change.
    explicit trainer(const trainer_options& options);

    const trainer_options& options() const { return options_; }
    const gpt2& model() const { return model_; }

    /// The number of the next step, which decides its batch and its learning rate.
    std::uint64_t next_step() const { return next_step_; }

    /// Continues at another step: for a peer that joins a run which has come that far.
    void skip_to(std::uint64_t step) { next_step_ = step; }

    /// One update of the weights. Throws a `problem` and leaves weights and moments as they were
    /// when the loss or its gradient is not finite.
    step_report step();

    /// Loss on the held-out text in nats per token, over at most `most` sequences (0 = all): the
    /// same ones at every call and on every peer that has the same text.
    double evaluate(std::size_t most = 0) const;

    /// What `evaluate` must fall below to prove that something was learnt: see `unigram_entropy`.
    double held_out_entropy() const;

    /// Number of weights.
    std::size_t size() const { return model_.size(); }

    /// All weights in the order of `layout`, on the host, until the next call of any other member.
    std::span<const float> parameters() const { return model_.read(); }

    /// Replaces all weights.
    void set_parameters(std::span<const float> weights) { model_.write(weights); }

    /// SHA-256 of the weights: equal on two peers when every bit is.
    std::string digest() const;

    /// Saves everything that training continues from: see `checkpoint_writer`. The weights are
    /// `model.safetensors` and `config.json` as Hugging Face's GPT-2 reads them. Returns the
    /// folder.
    std::filesystem::path save(const std::filesystem::path& directory, const outer_view& outer = {},
                               std::size_t keep = 2) const;

    /// Continues from the checkpoint in force under `directory` as if never stopped. Throws a
    /// `problem`, and nothing has changed, when it is damaged, holds a model of another shape, or
    /// would go on to draw other batches (another seed, peer, batch size, text). The schedule may
    /// differ: this trainer's own holds.
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
