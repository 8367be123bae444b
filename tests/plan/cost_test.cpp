#include <papilio/plan/cost.hpp>

#include <papilio/plan/choice.hpp>

#include <support/link_tables.hpp>

#include <catch2/catch.hpp>

using namespace papilio;
using namespace papilio::test;

TEST_CASE("a direct call over equal links is predicted to take its bound and three latencies")
{
    const auto p = predict(equal(4, 1e6, 0.1), mebi, {});
    CHECK(p.seconds == Approx(1.5 * (1 << 20) / 1e6 + 0.3));
    CHECK(p.bound_seconds == Approx(1.5 * (1 << 20) / 1e6 + 0.1));
    CHECK(p.roundings == 2);
    CHECK_THAT(p.limited_by, Catch::Contains("link of peer 0"));
}

TEST_CASE("every radix vector moves as much data over equal links, in more latencies")
{
    const auto links = equal(8, 1e6, 0.01);
    const double direct = predict(links, mebi, {}).seconds;
    for (const auto& radix : radix_vectors(8)) {
        const auto p = predict(links, mebi, {.radix = radix});
        CHECK(p.seconds == Approx(direct + 0.03 * (static_cast<double>(radix.size()) - 1)));
        CHECK(p.roundings == static_cast<int>(radix.size()) + 1);
    }
}

TEST_CASE("tables and schedules that make no sense are refused")
{
    CHECK_THROWS_AS(predict({}, mebi, {}), std::system_error);
    CHECK_THROWS_AS(predict(equal(4, 0), mebi, {}), std::system_error);
    CHECK_THROWS_AS(predict(equal(4, 1), mebi, {.radix = {3}}), std::system_error);
    CHECK_THROWS_AS(predict(equal(4, 1), mebi, {.shares = {1, 1}}), std::system_error);
    CHECK_THROWS_AS(predict(equal(2, 1), mebi, {.shares = {2, -1}}), std::system_error);
    CHECK_THROWS_AS(predict(equal(2, 1), mebi, {.shares = {0, 0}}), std::system_error);
}
