#include <papilio/collective/agreement/known_weight.hpp>

#include <catch2/catch.hpp>

using namespace papilio;
using namespace papilio::detail;

namespace {

std::vector<known_weight> known(std::initializer_list<double> weights)
{
    return {weights.begin(), weights.end()};
}

butterfly eight_in_three_stages()
{
    const int radix[] = {2, 2, 2};
    return butterfly(8, radix);
}

}  // namespace

TEST_CASE("weights add up, and one that is not known counts nothing")
{
    CHECK(total_weight({}) == 0);
    const std::vector<known_weight> some{0.5, std::nullopt, 2.0, 0.0};
    CHECK(total_weight(some) == 2.5);
}

TEST_CASE("a single peer is its own block and weighs what it weighs")
{
    CHECK(block_total(known({3.25}), eight_in_three_stages(), 0) == 3.25);
    CHECK(block_total({std::nullopt}, eight_in_three_stages(), 0) == 0);
}

TEST_CASE("a block's weight is rounded as the stages round it")
{
    // Beside 2^52 a half is lost, and the two halves of the other pair make a one that is not.
    const auto weights = known({0x1p52, 0.5, 0.5, 0.5});
    CHECK(block_total(weights, eight_in_three_stages(), 2) == 0x1p52 + 1);
    CHECK(total_weight(weights) == 0x1p52);
    CHECK(block_total(known({0x1p52, 0.5}), eight_in_three_stages(), 1) == 0x1p52);
}

TEST_CASE("a block's weight follows each stage's own radix")
{
    const int radix[] = {3, 2, 2};
    const butterfly stages(12, radix);
    // By threes (2^52 + 0.5 + 0.5) is 2^52, and the rest 1; by pairs there would be another 0.5.
    CHECK(block_total(known({0x1p52, 0.5, 0.5, 0.5, 0.25, 0.25}), stages, 2) == 0x1p52 + 1);
}

TEST_CASE("a digest of weights tells every weight and whose it is")
{
    const auto digest = weights_digest(known({1, 2, 3}));
    CHECK(digest == weights_digest(known({1, 2, 3})));
    CHECK(digest != weights_digest(known({1, 3, 2})));
    CHECK(digest != weights_digest(known({1, 2})));
    CHECK(digest != weights_digest(known({1, 2, 3, 0})));
    CHECK(digest != weights_digest(known({1, 2, 0x1.8000000000001p1})));
}

TEST_CASE("in a digest nobody weighs as much as nothing")
{
    CHECK(weights_digest(std::vector<known_weight>{1.0, std::nullopt}) ==
          weights_digest(known({1, 0})));
}
