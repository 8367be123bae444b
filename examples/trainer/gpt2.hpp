#pragma once

#include "gpt2_config.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace papilio::example {

/// The device of a model. `automatic` is CUDA where LibTorch finds it, else the CPU.
enum class device_kind { automatic, cpu, cuda };

/// The precision of matrix products. Weights, their gradients, sums into the residual stream, layer
/// norms and the loss are always f32. `automatic` is bf16 on CUDA and f32 on the CPU.
enum class precision { automatic, f32, bf16 };

/// GPT-2: pre-norm blocks, tanh-approximated GELU, learned positions, tied embeddings, no dropout
/// ("Language Models are Unsupervised Multitask Learners", Radford et al. 2019).
///
/// All weights are one flat f32 buffer in the order of `layout`, and so are all gradients; LibTorch
/// sees views into them. This header names no LibTorch type, so that including it is cheap.
class gpt2 {
public:
    /// Weights are zero until `write`. Throws a `problem` when CUDA is asked for and absent.
    explicit gpt2(const gpt2_config& config, device_kind device = device_kind::automatic,
                  precision compute = precision::automatic);
    ~gpt2();
    gpt2(const gpt2&) = delete;
    gpt2& operator=(const gpt2&) = delete;

    const gpt2_config& config() const;

    /// The number of weights.
    std::size_t size() const;

    /// Device and precision, such as "cpu, f32" or "cuda, bf16".
    std::string_view where() const;

    /// The weights on the host. On the CPU this is the live buffer; on a GPU a copy made by this
    /// call, which the next call overwrites.
    std::span<const float> read() const;

    /// Replaces all weights.
    void write(std::span<const float> weights);

    /// Mean loss in nats per token over `batch` rows of `tokens`, each row a window and the token
    /// after it.
    double loss(std::span<const std::int64_t> tokens, std::size_t batch) const;

    /// The same, and adds `weight` times its gradient to the gradients.
    double accumulate(std::span<const std::int64_t> tokens, std::size_t batch, double weight);

    /// The logits of the next token at every position of one sequence, row by row.
    std::vector<float> logits(std::span<const std::int64_t> tokens) const;

    struct tensors;

    /// For the optimiser, which uses LibTorch.
    tensors& raw() { return *tensors_; }

private:
    std::unique_ptr<tensors> tensors_;
};

}  // namespace papilio::example
