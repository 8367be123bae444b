// LibTorch first: it defines CHECK, which Catch2 must define again.
#include <trainer/gpt2_tensors.hpp>
#undef CHECK

#include <trainer/adamw.hpp>

#include "support.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <vector>

using namespace papilio::example;

namespace {

/// The optimiser's arithmetic in double precision, one number at a time.
struct plain_adamw {
    std::vector<double> weights, first, second;
    int updates = 0;

    void step(const std::vector<float>& gradients, const std::vector<bool>& decays, double rate)
    {
        double squares = 0;
        for (const float g : gradients) squares += static_cast<double>(g) * g;
        const double scale = std::min(1.0, 1.0 / std::sqrt(squares));
        ++updates;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const double g = gradients[i] * scale;
            first[i] = 0.9 * first[i] + 0.1 * g;
            second[i] = 0.95 * second[i] + 0.05 * g * g;
            const double mean = first[i] / (1 - std::pow(0.9, updates));
            const double square = second[i] / (1 - std::pow(0.95, updates));
            if (decays[i]) weights[i] -= rate * 0.1 * weights[i];
            weights[i] -= rate * mean / (std::sqrt(square) + 1e-8);
        }
    }
};

void set_gradients(gpt2& model, const std::vector<float>& gradients)
{
    if (!model.raw().gradients.defined())
        model.raw().gradients = at::zeros_like(model.raw().weights);
    overwrite(model.raw().gradients, gradients);
}

}  // namespace

TEST_CASE("the rate rises to its peak and falls along a cosine to its floor", "[trainer]")
{
    const learning_rate_schedule rate{.peak = 1, .warm_up = 4, .total = 104, .floor = 0.1};
    CHECK(rate.rate(0) == 0.25);
    CHECK(rate.rate(3) == 1);
    CHECK(rate.rate(4) == 1);
    CHECK(rate.rate(54) == Approx(0.55));
    CHECK(rate.rate(103) == Approx(0.1).epsilon(0.01));
    CHECK(rate.rate(104) == 0.1);
    CHECK(rate.rate(1'000'000) == 0.1);
    const learning_rate_schedule constant{.peak = 2, .warm_up = 0, .total = 0, .floor = 0.1};
    CHECK(constant.rate(0) == 2);
    CHECK(constant.rate(1'000'000) == 2);
}

TEST_CASE("AdamW moves the weights as its paper says", "[trainer]")
{
    const gpt2_config config = tiny_model();
    gpt2 model(config, device_kind::cpu);
    adamw optimizer(model, {});
    std::vector<float> first(model.size());
    initialise(config, 1, first);
    model.write(first);

    plain_adamw expected;
    expected.weights.assign(first.begin(), first.end());
    expected.first.resize(first.size());
    expected.second.resize(first.size());
    std::vector<bool> decays(first.size());
    for (const parameter& p : layout(config))
        std::fill_n(decays.begin() + static_cast<std::ptrdiff_t>(p.offset), p.size,
                    p.shape.size() == 2);

    papilio::random numbers(5);
    for (int step = 0; step < 5; ++step) {
        std::vector<float> gradients(first.size());
        // Every other gradient is longer than the clip norm of 1, the rest are shorter.
        const double size = step % 2 == 0 ? 0.1 : 0.0005;
        for (float& g : gradients) g = static_cast<float>(size * numbers.normal());
        double squares = 0;
        for (const float g : gradients) squares += static_cast<double>(g) * g;
        set_gradients(model, gradients);
        CHECK(optimizer.step(0.01) == Approx(std::sqrt(squares)).epsilon(1e-5));
        expected.step(gradients, decays, 0.01);
    }
    CHECK(optimizer.updates() == 5);
    double worst = 0;
    for (std::size_t i = 0; i < first.size(); ++i)
        worst = std::max(worst, std::abs(expected.weights[i] - model.read()[i]));
    CHECK(worst < 2e-6);
    CHECK(model.raw().gradients.abs().max().item<float>() == 0);
}

TEST_CASE("a gradient that is not finite moves nothing", "[trainer]")
{
    gpt2 model(tiny_model(), device_kind::cpu);
    adamw optimizer(model, {});
    std::vector<float> gradients(model.size(), 0.1f);
    gradients[7] = std::numeric_limits<float>::quiet_NaN();
    set_gradients(model, gradients);
    CHECK(std::isnan(optimizer.step(0.01)));
    CHECK(optimizer.updates() == 0);
    CHECK(optimizer.first().empty());
    CHECK(model.raw().weights.abs().max().item<float>() == 0);
    CHECK(model.raw().gradients.abs().max().item<float>() == 0);
}
