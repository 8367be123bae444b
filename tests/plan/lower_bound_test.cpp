#include <papilio/plan/lower_bound.hpp>

#include <catch2/catch.hpp>

using namespace papilio;

namespace {

link_table all_links_at(std::size_t n, double rate)
{
    return {.access = std::vector<access_rate>(n, {rate, rate})};
}

}  // namespace

TEST_CASE("with equal links the bound is 2 (n - 1) / n of the data, and one latency")
{
    auto links = all_links_at(4, 100);
    CHECK(lower_bound_seconds(links, 1000) == Approx(15));
    links.latency_seconds = 0.5;
    CHECK(lower_bound_seconds(links, 1000) == Approx(15.5));
    CHECK(lower_bound_seconds(links, 0) == Approx(0.5));
    CHECK(lower_bound_seconds(all_links_at(1, 100), 1000) == 0);
}

TEST_CASE("the slowest direction of any link must carry the data once")
{
    auto links = all_links_at(4, 100);
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
    auto links = all_links_at(4, 100);
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
    const auto refused = [](const link_table& t, const char* why) {
        CHECK_THROWS_WITH(lower_bound_seconds(t, 1), Catch::Contains(why));
    };
    auto links = all_links_at(2, 100);
    links.access[1].down = 0;
    refused(links, "link_table::access[1].down is 1 byte per second or more, and finite: it is 0");
    links = all_links_at(2, 100);
    links.site = {0};
    refused(links, "link_table::site has 1 entries for a group of 2");
    links.site = {0, 1};
    links.between = {{0}};
    refused(links, "link_table::site[1] is below 1, the number of sites in link_table::between");
    links.between = {{0, 1}, {1}};
    refused(links, "link_table::between[1] has 1 entries for 2 sites");
    links.between = {{0, 1}, {-1, 0}};
    refused(links, "link_table::between[1][0] is 1 byte per second or more, and finite: it is -1");
    links.between.assign(21, std::vector<double>(21, 1));
    refused(links, "the number of sites in link_table::between is at most 20: it is 21");
    links = all_links_at(2, 100);
    links.latency_seconds = -1;
    refused(links, "link_table::latency_seconds is at least 0, and finite: it is -1");
    links = all_links_at(2, 100);
    links.stream_rate = 0.5;
    refused(links, "link_table::stream_rate is 1 byte per second or more, and finite: it is 0.5");
}
