// Voters under random losses, followed in the model of tests/model, all of whose states are
// searched for small groups: there is nothing that a voter does and the model does not.
// PAPILIO_SEEDS says which losses; a failure prints the line that shows it again.

#include <papilio/collective/agreement/voter.hpp>

#include <collective/agreement/model_trace.hpp>
#include <collective/agreement/random_losses.hpp>
#include <support/seeds.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

using papilio::role;
using papilio::test::crowd;
using papilio::test::crowd_options;
using papilio::test::model_trace;

namespace {

/// A crowd that the model can follow, and what befalls it.
class followed_crowd {
public:
    explicit followed_crowd(int seed) : random_(papilio::hash(std::uint64_t(seed), 11u))
    {
        crowd_options o;
        o.seed = static_cast<std::uint64_t>(seed);
        const int n = 3 + below(3);
        o.roles.assign(static_cast<std::size_t>(n), role::full);
        o.columns = n == 5 ? 1u : static_cast<std::uint32_t>(1 + below(2));
        o.uniform = below(4) == 0;
        o.latency = std::chrono::milliseconds(1 + below(30));
        o.writing = std::chrono::milliseconds(below(30));
        o.told = [this](const auto& member, const auto& said) { trace_->follow(member, said); };
        crowd_.emplace(o);
        trace_.emplace(crowd_->call());
        for (int left = 1 + below(4); left > 0; --left)
            papilio::test::lose_something(*crowd_, o, random_);
        crowd_->run();
    }

    const crowd& get() const { return *crowd_; }
    const model_trace& trace() const { return *trace_; }

private:
    int below(int n) { return papilio::test::below(random_, n); }

    papilio::random random_;
    std::optional<crowd> crowd_;
    std::optional<model_trace> trace_;
};

}  // namespace

TEST_CASE("each step of a voter is one that the model of views has")
{
    const auto range = papilio::test::seeds(3000);
    std::array<int, model_trace::kinds> steps{};
    int beyond = 0;
    for (int seed = range.first; seed <= range.last; ++seed) {
        INFO(papilio::test::again(seed, "each step of a voter*"));
        const followed_crowd c(seed);
        REQUIRE(c.trace().wrong() == "");
        REQUIRE(papilio::test::violation(c.get()) == "");
        REQUIRE(papilio::model::violation(c.trace().settings(), c.trace().now()) == "");
        for (std::size_t kind = 0; kind < steps.size(); ++kind)
            steps[kind] += c.trace().steps()[kind];
        beyond += c.trace().beyond();
    }
    const int all = range.last - range.first + 1;
    if (all < 1000) return;
    for (const int many : steps) CHECK(many >= all / 10);
    CHECK(beyond <= all / 4);
}
