#include "adamw.hpp"

#include "gpt2_tensors.hpp"

#include <papilio/base/check.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace papilio::example {

double learning_rate_schedule::rate(std::uint64_t step) const
{
    if (step < warm_up) return peak * static_cast<double>(step + 1) / static_cast<double>(warm_up);
    if (total == 0) return peak;
    if (step >= total) return peak * floor;
    const double way = static_cast<double>(step - warm_up) / static_cast<double>(total - warm_up);
    return peak * (floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * way)));
}

struct adamw::state {
    state(gpt2& of, const adamw_options& with) : model(of.raw()), options(with) {}

    gpt2::tensors& model;
    adamw_options options;
    std::uint64_t updates = 0;
    at::Tensor first;
    at::Tensor second;
    mutable at::Tensor first_mirror;  // host copies where the moments are on a GPU
    mutable at::Tensor second_mirror;

    void allocate()
    {
        if (first.defined()) return;
        first = at::zeros_like(model.weights);
        second = at::zeros_like(model.weights);
    }

    double gradient_norm() const
    {
        double sum = 0;
        std::vector<at::Tensor> norms;
        for (const parameter& p : model.parameters)
            norms.push_back(view_of(model.gradients, p).norm());
        const at::Tensor all = at::stack(norms).to(at::kCPU);  // one wait for the GPU, not many
        for (std::int64_t i = 0; i < all.numel(); ++i) {
            const double norm = all.data_ptr<float>()[i];
            sum += norm * norm;
        }
        return std::sqrt(sum);
    }

    /// Tensor by tensor, so that the temporary is no larger than the largest tensor.
    void update(const parameter& p, double rate)
    {
        at::Tensor weight = view_of(model.weights, p);
        const at::Tensor gradient = view_of(model.gradients, p);
        at::Tensor mean = view_of(first, p);
        at::Tensor square = view_of(second, p);
        const double n = static_cast<double>(updates);
        mean.mul_(options.beta1).add_(gradient, 1 - options.beta1);
        square.mul_(options.beta2).addcmul_(gradient, gradient, 1 - options.beta2);
        if (p.decays()) weight.mul_(1 - rate * options.decay);
        const at::Tensor scale =
            square.sqrt().div_(std::sqrt(1 - std::pow(options.beta2, n))).add_(options.epsilon);
        weight.addcdiv_(mean, scale, -rate / (1 - std::pow(options.beta1, n)));
    }
};

adamw::adamw(gpt2& model, const adamw_options& options)
    : state_(std::make_unique<state>(model, options))
{
}

adamw::~adamw() = default;

double adamw::step(double rate)
{
    state& s = *state_;
    PAPILIO_CHECK(s.model.gradients.defined(), "there must be gradients before a step");
    const at::NoGradGuard no_gradients;
    const double norm = s.gradient_norm();
    if (std::isfinite(norm)) {
        s.allocate();
        ++s.updates;
        const double limit = s.options.clip;
        if (limit > 0 && norm > limit) s.model.gradients.mul_(limit / norm);
        for (const parameter& p : s.model.parameters) s.update(p, rate);
    }
    s.model.gradients.zero_();
    return norm;
}

std::uint64_t adamw::updates() const
{
    return state_->updates;
}

std::span<const float> adamw::first() const
{
    if (!state_->first.defined()) return {};
    return host_view(state_->first, state_->first_mirror);
}

std::span<const float> adamw::second() const
{
    if (!state_->second.defined()) return {};
    return host_view(state_->second, state_->second_mirror);
}

void adamw::restore(std::uint64_t updates, std::span<const float> first,
                    std::span<const float> second)
{
    state& s = *state_;
    const auto count = updates == 0 ? 0 : static_cast<std::size_t>(s.model.weights.numel());
    PAPILIO_CHECK(first.size() == count && second.size() == count,
                  "the moments must be as many as the weights, and none before the first update");
    s.updates = updates;
    s.first.reset();
    s.second.reset();
    if (updates == 0) return;
    s.allocate();
    overwrite(s.first, first);
    overwrite(s.second, second);
}

}  // namespace papilio::example
