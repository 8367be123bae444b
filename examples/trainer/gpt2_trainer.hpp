#pragma once

#include "adamw.hpp"
#include "corpus.hpp"
#include "gpt2.hpp"
#include "gpt2_config.hpp"

#include <papilio/trainer.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

/// The options that determine the results of a GPT-2's training.
struct gpt2_options {
    std::string name = "gpt2";      ///< of the model, for people
    gpt2_config model;              ///< usually `preset(name)`
    std::vector<std::string> data;  ///< files, patterns or directories: see `corpus`
    std::uint64_t seed = 1;         ///< of the first weights and the batches; equal on all peers
    std::filesystem::path init;     ///< of a GPT-2 to begin with instead: `read_transformers_gpt2`
    std::size_t batch = 8;          ///< sequences in one forward pass
    std::size_t accumulation = 1;   ///< forward passes in one step
    std::size_t length = 0;         ///< tokens in a sequence; 0 = the model's context
    double held_out = 0.05;         ///< share of the text kept for evaluation
    learning_rate_schedule rate;
    adamw_options optimizer;
    device_kind device = device_kind::automatic;
    precision compute = precision::automatic;
};

/// Trains a GPT-2 on text by AdamW.
///
/// With one thread the same options give the same bits at every step on the same machine.
class gpt2_trainer final : public papilio::trainer {
public:
    /// Opens the data and makes the first weights. Throws a `problem` that says what to change.
    explicit gpt2_trainer(const gpt2_options& options);

    const gpt2_options& options() const { return options_; }

    /// Whether the data is text, whose bytes are the tokens, though the model knows more of them.
    bool wastes_vocabulary() const { return text_.is_text() && options_.model.vocabulary > 256; }

    /// All weights in the order of `layout`, until the next call of any other member.
    std::span<const float> parameters() const override { return model_.read(); }
    void set_parameters(std::span<const float> weights) override { model_.write(weights); }

    /// hash(seed, peer, step) selects the batch, the step its learning rate. Throws a `problem` and
    /// leaves weights and moments as they were when the loss or its gradient is not finite.
    step_result step(data_place at) override;

    /// In nats per token.
    held_out_loss evaluate(std::size_t most) override;

    /// The moments and number of updates of AdamW, and the config as Hugging Face's GPT-2 has it.
    /// The learning rate schedule that is saved is for people: that of this trainer counts.
    void save(trainer_record& to) const override;
    void restore(const trainer_record& from) override;

    named_values draws() const override;

    /// As Hugging Face's GPT-2 names its tensors.
    std::vector<named_shape> layout() const override;

    /// The loss of a model that knows only the frequencies of the tokens: see `unigram_entropy`.
    double unigram_entropy() override;

    trainer_notes notes() const override;

private:
    gpt2_options options_;
    corpus text_;
    split split_;
    gpt2 model_;
    adamw optimizer_;
    std::vector<std::int64_t> tokens_;
};

/// What a user should know of how the data and the model fit; empty: nothing.
std::string remark_on_data(const gpt2_trainer& t, const std::string& preset);

}  // namespace papilio::example
