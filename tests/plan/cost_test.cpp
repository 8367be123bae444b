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
    const auto refused = [](const papilio::link_table& links, const papilio::workload& work,
                            const papilio::schedule& how, const char* why) {
        CHECK_THROWS_WITH(predict(links, work, how), Catch::Contains(why));
    };
    refused({}, mebi, {}, "the number of peers in link_table::access is at least 1: it is 0");
    refused(equal(4, 0), mebi, {}, "link_table::access[0].up is 1 byte per second or more");
    refused(equal(4, 1), mebi, {.radix = {3}}, "radix");
    refused(equal(4, 1), mebi, {.shares = {1, 1}},
            "schedule::shares has 2 entries for a group of 4");
    refused(equal(2, 1), mebi, {.shares = {2, -1}}, "schedule::shares[1] is at least 0: it is -1");
    refused(equal(2, 1), mebi, {.shares = {0, 0}},
            "the sum of schedule::shares is above 0, and finite: it is 0");
    refused(equal(2, 1), {.wire_ratio = 0}, {},
            "workload::wire_ratio is above 0, and finite: it is 0");
    refused(equal(2, 1), {.work_per_byte = -1}, {}, "workload::work_per_byte is at least 0");
    refused(equal(2, 1), {.per_message = -1}, {}, "workload::per_message is at least 0");
    refused(equal(2, 1), {.bytes = 1, .wire_ratio = 1e300}, {}, "is below 2^63: it is 1e+300");
}
