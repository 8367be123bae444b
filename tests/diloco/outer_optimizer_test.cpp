#include <papilio/diloco/outer_optimizer.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace pa = papilio;

namespace {

std::vector<float> drawn(std::size_t n, std::uint64_t seed)
{
    pa::random random(seed);
    std::vector<float> values(n);
    for (auto& v : values) v = static_cast<float>(random.normal());
    return values;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b)
{
    return std::ranges::equal(a, b, [](float x, float y) {
        return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
    });
}

/// torch.optim.SGD(nesterov=True) as its source reads: the first step copies the gradient into the
/// buffer, later ones scale it and add.
struct torch_sgd {
    std::vector<float> parameters;
    std::vector<float> buffer = {};

    void step(const std::vector<float>& gradient, float rate, float momentum)
    {
        const bool first = buffer.empty();
        if (first) buffer = gradient;
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            if (!first) {
                const float scaled = buffer[i] * momentum;
                buffer[i] = scaled + gradient[i];
            }
            const float ahead = momentum * buffer[i];
            const float direction = gradient[i] + ahead;
            const float move = -rate * direction;
            parameters[i] = parameters[i] + move;
        }
    }
};

void step_in_place(std::vector<float>& parameters, std::vector<float>& momentum,
                   const std::vector<float>& gradient, pa::outer_options o = {})
{
    const pa::outer_buffers buffers{parameters, momentum, parameters, momentum};
    pa::outer_step(buffers, gradient, o);
}

}  // namespace

TEST_CASE("the outer step is that of SGD with Nesterov momentum, bit for bit", "[diloco]")
{
    const auto n = GENERATE(0u, 1u, 511u, 512u, 513u, 5000u);
    torch_sgd reference{drawn(n, 1)};
    auto parameters = reference.parameters;
    std::vector<float> momentum(n, 0.0f);
    for (std::uint64_t round = 0; round < 5; ++round) {
        const auto gradient = drawn(n, 10 + round);
        reference.step(gradient, 0.7f, 0.9f);
        step_in_place(parameters, momentum, gradient);
        REQUIRE(same_bits(parameters, reference.parameters));
        REQUIRE(same_bits(momentum, reference.buffer));
    }
}

TEST_CASE("figures worked out by hand for the outer step", "[diloco]")
{
    std::vector<float> parameters{1.0f};
    std::vector<float> momentum{2.0f};
    step_in_place(parameters, momentum, {4.0f}, {.rate = 0.5f, .momentum = 0.5f});
    CHECK(momentum[0] == 5.0f);      // 0.5 * 2 + 4
    CHECK(parameters[0] == -2.25f);  // 1 - 0.5 * (4 + 0.5 * 5)
}

TEST_CASE("the outer step elsewhere equals the one in place, and leaves the old state", "[diloco]")
{
    const auto before = drawn(1234, 3);
    const auto momentum = drawn(1234, 4);
    const auto gradient = drawn(1234, 5);
    auto kept = before;
    auto kept_momentum = momentum;
    std::vector<float> after(1234);
    std::vector<float> momentum_after(1234);
    pa::outer_step({kept, kept_momentum, after, momentum_after}, gradient);
    CHECK(same_bits(kept, before));
    CHECK(same_bits(kept_momentum, momentum));
    step_in_place(kept, kept_momentum, gradient);
    CHECK(same_bits(kept, after));
    CHECK(same_bits(kept_momentum, momentum_after));
}

TEST_CASE("without momentum at rate 1 the outer step of one peer arrives at its own weights",
          "[diloco]")
{
    const auto anchor = drawn(700, 6);
    auto local = anchor;
    for (auto& v : local) v += 0.25f;
    std::vector<float> gradient(700);
    pa::pseudo_gradient(anchor, local, gradient);
    for (std::size_t i = 0; i < gradient.size(); ++i) REQUIRE(gradient[i] == anchor[i] - local[i]);
    auto parameters = anchor;
    std::vector<float> momentum(700, 0.0f);
    step_in_place(parameters, momentum, gradient, {.rate = 1.0f, .momentum = 0.0f});
    for (std::size_t i = 0; i < local.size(); ++i) REQUIRE(parameters[i] == Approx(local[i]));
}

TEST_CASE("a pseudo-gradient may be written over the local weights", "[diloco]")
{
    const auto anchor = drawn(1000, 7);
    auto local = drawn(1000, 8);
    std::vector<float> gradient(1000);
    pa::pseudo_gradient(anchor, local, gradient);
    pa::pseudo_gradient(anchor, local, local);
    CHECK(same_bits(local, gradient));
}

TEST_CASE("lengths and options that do not fit are refused before anything changes", "[diloco]")
{
    std::vector<float> parameters(3, 1.0f);
    std::vector<float> momentum(3, 1.0f);
    std::vector<float> longer(4);
    const auto contains = [](const char* why) { return Catch::Contains(why); };
    CHECK_THROWS_WITH(step_in_place(parameters, momentum, longer),
                      contains("outer_buffers::parameters has 3 elements and gradient 4"));
    CHECK_THROWS_WITH(step_in_place(parameters, longer, parameters),
                      contains("outer_buffers::momentum has 4 elements and gradient 3"));
    CHECK_THROWS_WITH(pa::pseudo_gradient(parameters, longer, longer),
                      contains("pseudo_gradient: local has 4 elements and anchor 3"));
    CHECK_THROWS_WITH(pa::pseudo_gradient(parameters, momentum, longer),
                      contains("pseudo_gradient: out has 4 elements and anchor 3"));
    const auto refused = [&](pa::outer_options o, const char* why) {
        CHECK_THROWS_WITH(step_in_place(parameters, momentum, parameters, o), contains(why));
    };
    refused({.rate = 0}, "outer_options::rate is above 0, and finite: it is 0");
    refused({.rate = -1}, "outer_options::rate is above 0, and finite: it is -1");
    refused({.momentum = 1}, "outer_options::momentum is at least 0 and below 1: it is 1");
    refused({.momentum = -0.5f}, "outer_options::momentum is at least 0 and below 1: it is -0.5");
    CHECK(parameters == std::vector<float>(3, 1.0f));
    CHECK(momentum == std::vector<float>(3, 1.0f));
}
