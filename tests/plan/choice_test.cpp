#include <papilio/plan/choice.hpp>

#include <support/link_tables.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <functional>
#include <numeric>
#include <span>
#include <vector>

using namespace papilio;
using namespace papilio::test;

TEST_CASE("a slow uplink that owns as much as the others holds all of them up, and balance helps")
{
    auto links = equal(4, 50e6);
    links.access[2].up = 5e6;
    const auto even = predict(links, mebi, {});
    CHECK_THAT(even.limited_by, Catch::Contains("uplink of peer 2"));
    CHECK(even.seconds == Approx(1.5 * (1 << 20) / 5e6));
    const auto chosen = choose(links, mebi);
    CHECK(chosen.how.radix == std::vector{4});
    CHECK(chosen.how.shares.size() == 4);
    CHECK(chosen.expected.seconds == Approx(1.0 * (1 << 20) / 5e6));
    CHECK(chosen.expected.seconds == Approx(chosen.expected.bound_seconds));
}

TEST_CASE("across a thin line between sites, stages go inside first")
{
    // Direct, 4 x 4 pairs send each other 2/8 of the data: 4 times the data over 1e6 each way.
    const auto links = sites(2, 4, 100e6, 1e6);
    const auto direct = predict(links, mebi, {});
    CHECK(direct.seconds == Approx(4 * (1 << 20) / 1e6));
    CHECK_THAT(direct.limited_by, Catch::Contains("from site 0 to site 1"));
    const auto chosen = choose(links, mebi);
    CHECK(chosen.how.radix == std::vector{4, 2});
    CHECK(chosen.expected.seconds == Approx(1.0 * (1 << 20) / 1e6));
    CHECK_THAT(chosen.reasons, Catch::Contains("[4,2]") && Catch::Contains("rather than"));
}

TEST_CASE("where messages cost more than bytes, many peers meet in stages")
{
    const auto links = equal(1024, 1e9, 50e-6);
    const auto chosen = choose(links, {.bytes = 512 << 10, .per_message = 20e-6});
    CHECK(chosen.how.radix.size() > 1);
    CHECK(chosen.expected.seconds <
          predict(links, {.bytes = 512 << 10, .per_message = 20e-6}, {}).seconds / 4);
}

TEST_CASE("a codec saves bytes, costs work, and may limit the stages")
{
    const auto links = sites(2, 4, 100e6, 1e6);
    workload work = mebi;
    work.wire_ratio = 0.25;
    CHECK(choose(links, work).expected.seconds == Approx(0.25 * (1 << 20) / 1e6));
    CHECK(choose(links, work, {.max_roundings = 2}).how.radix == std::vector{8});
    work.work_per_byte = 10e-6;
    const auto slow = choose(links, work).expected;
    CHECK(slow.seconds == Approx(10e-6 * (1 << 20)));
    CHECK(slow.limited_by == "the processor");
}

TEST_CASE("what the caller has decided stands")
{
    auto links = equal(8, 1e6);
    links.access[0].up = 1e5;
    const std::vector<int> radix{2, 4};
    const std::vector<double> shares(8, 1.0);
    const auto c = choose(links, mebi,
                          {.radix = radix, .shares = shares, .chunk_bytes = 4096, .in_flight = 9});
    CHECK(c.how == schedule{radix, shares, 4096, 9});
    CHECK(choose(links, mebi, {.radix = radix, .max_roundings = 2}).how.radix == radix);
}

TEST_CASE("chunks and how many are in flight follow rate and latency")
{
    const workload large{.bytes = 64 << 20};
    const auto fitted = [&](double rate, double latency) {
        return choose(equal(4, rate, latency), large).how;
    };
    CHECK(fitted(25e6, 1e-4).chunk_bytes == 32 << 10);
    CHECK(fitted(25e6, 1e-4).in_flight == 8);
    CHECK(fitted(50e6, 0.05).chunk_bytes == 128 << 10);
    CHECK(fitted(50e6, 0.05).in_flight == 30);
    CHECK(fitted(1e3, 1e-4).chunk_bytes == 16 << 10);
    CHECK(fitted(1e3, 1e-4).in_flight == 2);
    CHECK(fitted(1e9, 1e-5).in_flight == 5);
    CHECK(fitted(1e12, 1).in_flight == 192);           // 24 MiB
    CHECK(fitted(50e6, 0) == schedule{.radix = {4}});  // the engine finds out
}

TEST_CASE("little data is left to go from everybody to everybody, in two latencies")
{
    const auto c = choose(equal(4, 1e6, 0.1), {.bytes = 1024});
    CHECK(c.how == schedule{.radix = {4}});
    CHECK(c.expected.seconds == Approx(0.2 + 3 * 1024 / 1e6));
    CHECK(c.expected.limited_by == "latency");
    CHECK(predict(equal(4, 1e3, 0.1), {.bytes = 1024}, {}).limited_by == "the slowest link");
    CHECK(predict(equal(4, 1e6, 0.1), {.bytes = 1024}, {.chunk_bytes = 512}).seconds > 0.3);
}

TEST_CASE("there are as many streams as fill what a peer can move to each other one")
{
    auto links = equal(3, 100e6, 0.05);
    links.stream_rate = 12e6;
    const workload large{.bytes = 64 << 20};
    const auto c = choose(links, large);
    CHECK(c.how.streams == 5);
    CHECK_THAT(c.expected.limited_by, Catch::Contains("link of peer"));
    const auto one = choose(links, large, {.streams = 1});
    CHECK(one.how.streams == 1);
    CHECK_THAT(one.expected.limited_by, Catch::Contains("streams"));
    CHECK(one.expected.seconds == Approx(2.0 / 3 * (64 << 20) / 12e6 + 0.15));
    links.stream_rate = 1;
    CHECK(choose(links, large).how.streams == 16);
}

TEST_CASE("radix vectors are all the ways to multiply")
{
    CHECK(radix_vectors(1) == std::vector<std::vector<int>>{{}});
    CHECK(radix_vectors(7) == std::vector<std::vector<int>>{{7}});
    CHECK(radix_vectors(12).size() == 8);  // 12; 2 6, 6 2, 3 4, 4 3; 2 2 3 in three orders
    for (const auto& radix : radix_vectors(360)) {
        CHECK(std::accumulate(radix.begin(), radix.end(), 1, std::multiplies<>{}) == 360);
        CHECK(radix.size() <= 4);
    }
}

TEST_CASE("no choice is made from tables and workloads that make no sense")
{
    CHECK_THROWS_AS(choose({}, mebi), std::system_error);
    CHECK_THROWS_AS(choose(equal(4, 1e-300), mebi), std::system_error);
    for (const double wrong : {-1.0, std::nan(""), HUGE_VAL}) {
        CHECK_THROWS_AS(choose(equal(4, 1), {.bytes = 9, .wire_ratio = wrong}), std::system_error);
        CHECK_THROWS_AS(choose(equal(4, 1), {.bytes = 9, .work_per_byte = wrong}),
                        std::system_error);
        CHECK_THROWS_AS(choose(equal(4, 1), {.bytes = 9, .per_message = wrong}), std::system_error);
    }
    CHECK_THROWS_AS(choose(equal(4, 1), {.bytes = 9, .wire_ratio = 0}), std::system_error);
    CHECK_THROWS_AS(choose(equal(4, 1), {.bytes = 9, .wire_ratio = 1e300}), std::system_error);
}
