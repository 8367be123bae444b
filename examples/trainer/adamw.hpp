#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace papilio::example {

class gpt2;

/// The learning rate over the steps of a run: rises linearly over `warm_up` steps to `peak`, then
/// falls along a cosine until step `total`, to `floor` times the peak, and stays there. `total` = 0
/// keeps it at the peak.
struct schedule {
    double peak = 4e-4;
    std::uint64_t warm_up = 1000;
    std::uint64_t total = 0;
    double floor = 0.1;

    /// The rate of step `step`, counted from 0.
    double rate(std::uint64_t step) const;
};

/// Numbers of AdamW ("Decoupled Weight Decay Regularization", Loshchilov and Hutter 2019), as
/// DiLoCo sets its inner optimiser.
struct adamw_options {
    double beta1 = 0.9;
    double beta2 = 0.95;
    double epsilon = 1e-8;
    double decay = 0.1;  ///< on matrices only
    double clip = 1.0;   ///< longest gradient, as a Euclidean norm; 0 = no limit
};

/// AdamW with its two moments as flat buffers beside the weights, so that they can be saved and
/// restored exactly. They outlive an outer step, as in DiLoCo.
class adamw {
public:
    /// `model` must outlive this. The moments take memory from the first use on.
    adamw(gpt2& model, const adamw_options& options);
    ~adamw();
    adamw(const adamw&) = delete;
    adamw& operator=(const adamw&) = delete;

    /// Applies the model's gradients once, clears them, and returns their norm before clipping.
    /// When that is not finite, weights and moments stay as they were.
    double step(double rate);

    /// Updates so far, which the bias correction counts.
    std::uint64_t updates() const;

    /// The moments on the host, each as long as the model's flat buffer and in its order; empty
    /// before the first update. They hold until the next call of any other member.
    std::span<const float> first() const;
    std::span<const float> second() const;

    /// Restores what `updates`, `first` and `second` gave.
    void restore(std::uint64_t updates, std::span<const float> first,
                 std::span<const float> second);

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace papilio::example
