#include <member/state.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;
namespace pa = papilio;

namespace {

std::vector<float> drawn(std::uint64_t seed, std::size_t n = 1500)
{
    pa::random numbers(seed);
    std::vector<float> values(n);
    for (float& v : values) v = static_cast<float>(numbers.normal());
    return values;
}

}  // namespace

TEST_CASE("a round leads from one state to the next, which has memory of its own", "[member]")
{
    const auto first = first_state(drawn(1));
    const auto gradient = drawn(2);
    auto next = next_state(*first);
    next->spans[0] = gradient;
    advance(*first, *next, {0.7f, 0.9f});
    CHECK(next->round == 1);
    CHECK(weights(*first) == drawn(1));
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        REQUIRE(momentum(*next)[i] == gradient[i]);
        const float moved = weights(*first)[i] - 0.7f * (gradient[i] + 0.9f * gradient[i]);
        REQUIRE(weights(*next)[i] == moved);
    }

    auto second = next_state(*next);
    second->spans[0] = drawn(3);
    advance(*next, *second, {0.7f, 0.9f});
    CHECK(momentum(*second)[7] == 0.9f * gradient[7] + drawn(3)[7]);
    CHECK(second->round == 2);
}

TEST_CASE("a state's digest tells every bit of it", "[member]")
{
    const auto state = first_state(drawn(1));
    CHECK(digest(*state) == digest(*first_state(drawn(1))));
    CHECK(digest(*state).size() == 64);
    auto other = *state;
    other.round = 1;
    CHECK(digest(other) != digest(*state));
    other = *state;
    other.spans[0].back() = std::nextafter(other.spans[0].back(), 0.0f);
    CHECK(digest(other) != digest(*state));
    other = *state;
    other.spans[1].front() = -0.0f;
    CHECK(digest(other) != digest(*state));
}
