#include <validator/evaluation_budget.hpp>

#include <catch2/catch.hpp>

#include <chrono>

using namespace papilio::example;

namespace {

using budget_seconds = evaluation_budget::seconds;

/// So many milliseconds after some time.
evaluation_budget::clock::time_point at_ms(int ms)
{
    return evaluation_budget::clock::time_point{} + std::chrono::hours(1) +
           std::chrono::milliseconds(ms);
}

}  // namespace

TEST_CASE("the first evaluation may always be, and the next once its share of the time has passed",
          "[validator]")
{
    evaluation_budget b(0.1, 2);
    CHECK(b.allows(at_ms(0)));
    b.took(at_ms(0), budget_seconds(1));  // a tenth of what two processors do in five seconds
    CHECK_FALSE(b.allows(at_ms(4'990)));
    CHECK(b.allows(at_ms(5'010)));
}

TEST_CASE("evaluations take at most their share, whatever they cost and however rounds come",
          "[validator]")
{
    const double share = GENERATE(0.01, 0.1, 0.5, 1.0);
    const int round_ms = GENERATE(1, 70, 900, 20'000);
    evaluation_budget b(share, 4);
    double spent = 0, last = 0;
    int now = 0;
    for (int round = 0; round < 1000; ++round, now += round_ms) {
        if (!b.allows(at_ms(now))) continue;
        last = 0.05 * (1 + round % 7);
        spent += last;
        b.took(at_ms(now), budget_seconds(last));
    }
    CHECK(spent - last <= share * 4 * now / 1000.0 + 1e-9);
}

TEST_CASE("an evaluation that is late is not made up for", "[validator]")
{
    evaluation_budget b(0.5, 1);
    b.took(at_ms(0), budget_seconds(1));
    CHECK(b.allows(at_ms(60'000)));
    b.took(at_ms(60'000), budget_seconds(1));
    CHECK_FALSE(b.allows(at_ms(61'000)));
    CHECK(b.allows(at_ms(62'001)));
}

TEST_CASE("evaluations that cost little for their share are after every round", "[validator]")
{
    evaluation_budget b(0.1, 2);
    for (int round = 0; round < 10; ++round) {
        CHECK(b.allows(at_ms(round * 1000)));
        b.took(at_ms(round * 1000), budget_seconds(0.19));
    }
}

TEST_CASE("the smallest share that there is means never again", "[validator]")
{
    evaluation_budget b(1e-300, 1);
    CHECK(b.allows(at_ms(0)));
    b.took(at_ms(0), budget_seconds(1e-6));
    CHECK_FALSE(b.allows(at_ms(2'000'000'000)));
}
