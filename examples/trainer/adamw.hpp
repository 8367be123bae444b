#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace papilio::example {

class gpt2;

/// The learning rate over the steps of a run: rises linearly over `warm_up` steps to `peak`, then
/// falls along a cosine until step `total`, to `floor` times the peak, and stays there. `total` = 0
/// keeps it at the peak.
struct learning_rate_schedule {
    double peak = 4e-4;
    std::uint64_t warm_up = 1000;
    std::uint64_t total = 0;
    double floor = 0.1;

    /// The rate of step `step`, counted from 0.
    double rate(std::uint64_t step) const;
};

/// Hyperparameters of AdamW ("Decoupled Weight Decay Regularization", Loshchilov and Hutter 2019);
/// the defaults are those of DiLoCo's inner optimiser.
struct adamw_options {
    double beta1 = 0.9;
    double beta2 = 0.95;
    double epsilon = 1e-8;
    double decay = 0.1;  ///< on matrices only
    double clip = 1.0;   ///< largest norm of the gradient, Euclidean; 0 = no clipping
};

/// AdamW with its two moments as flat buffers, so that they can be saved and restored exactly. An
/// outer step does not reset them, as in DiLoCo.
class adamw {
public:
    /// `model` must outlive the optimiser. The moments are allocated on first use.
    adamw(gpt2& model, const adamw_options& options);
    ~adamw();
    adamw(const adamw&) = delete;
    adamw& operator=(const adamw&) = delete;

    /// One update from the model's gradients, which are then cleared. Returns their norm before
    /// clipping. When the norm is not finite, weights and moments are not changed.
    double step(double rate);

    /// The number of updates so far, for the bias correction.
    std::uint64_t updates() const;

    /// The moments on the host, each as long as the model's flat buffer and in its order; empty
    /// before the first update. Valid until the next call of any other member.
    std::span<const float> first() const;
    std::span<const float> second() const;

    /// Restores the values that `updates`, `first` and `second` returned.
    void restore(std::uint64_t updates, std::span<const float> first,
                 std::span<const float> second);

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace papilio::example
