#include <papilio/plan/lower_bound.hpp>

#include <catch2/catch.hpp>

using namespace papilio;

namespace {

link_table equal(std::size_t n, double rate)
{
    return {.access = std::vector<access_rate>(n, {rate, rate})};
}

}  // namespace

TEST_CASE("with equal links the bound is 2 (n - 1) / n of the data, and one latency")
{
    auto links = equal(4, 100);
    CHECK(lower_bound_seconds(links, 1000) == Approx(15));
    links.latency_seconds = 0.5;
    CHECK(lower_bound_seconds(links, 1000) == Approx(15.5));
    CHECK(lower_bound_seconds(links, 0) == Approx(0.5));
    CHECK(lower_bound_seconds(equal(1, 100), 1000) == 0);
}

TEST_CASE("the slowest direction of any link must carry the data once")
{
    auto links = equal(4, 100);
    links.access[2].up = 10;
    CHECK(lower_bound_seconds(links, 1000) == Approx(100));
    links.access[2] = {100, 5};
    CHECK(lower_bound_seconds(links, 1000) == Approx(200));
}

TEST_CASE("all uplinks together carry it 2 (n - 1) times")
{
    const link_table links{.access = {{400, 1000}, {300, 1000}, {250, 1000}, {200, 1000}}};
    CHECK(lower_bound_seconds(links, 1150) == Approx(6));
}

TEST_CASE("a thin cut must carry the data once each way")
{
    auto links = equal(4, 100);
    links.site = {0, 0, 1, 1};
    links.between = {{0, 50}, {20, 0}};
    CHECK(lower_bound_seconds(links, 1000) == Approx(50));
    SECTION("around two links that join it")
    {
        links.site = {0, 0, 1, 2};
        links.between = {{0, 50, 30}, {20, 0, 1000}, {35, 1000, 0}};
        CHECK(lower_bound_seconds(links, 1000) == Approx(1000.0 / 55));
    }
    SECTION("but not where nobody lives beyond it")
    {
        links.site = {0, 0, 0, 0};
        CHECK(lower_bound_seconds(links, 1000) == Approx(15));
    }
}

TEST_CASE("a table that makes no sense is refused")
{
    const auto refused = [](link_table t) {
        CHECK_THROWS_AS(lower_bound_seconds(t, 1), std::system_error);
    };
    auto links = equal(2, 100);
    links.access[1].up = 0;
    refused(links);
    links = equal(2, 100);
    links.site = {0};
    refused(links);
    links.site = {0, 1};
    links.between = {{0}};
    refused(links);
    links.between = {{0, 1}, {-1, 0}};
    refused(links);
    links = equal(2, 100);
    links.latency_seconds = -1;
    refused(links);
}
