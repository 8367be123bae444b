#include <papilio/collective/measure/flow_meter.hpp>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using papilio::duration;
using papilio::time_point;
using papilio::detail::flow_meter;

namespace {

constexpr time_point begin{5s};

/// `count` messages of `size`, the first after `first`, one each `pause`.
time_point steady(flow_meter& m, time_point from, int count, duration pause, std::uint64_t size)
{
    for (int i = 0; i < count; ++i) m.moved(from += pause, size);
    return from;
}

}  // namespace

TEST_CASE("a link that carries the same all the time is busy all the time")
{
    const auto pause = GENERATE(duration(3us), duration(400us), duration(7ms), duration(2s));
    flow_meter m(begin);
    steady(m, begin, 20'000, pause, 1000);
    const double rate = 1000 / std::chrono::duration<double>(pause).count();
    CHECK(m.seen().bytes_per_second == Approx(rate).epsilon(0.001));
    CHECK(m.seen().busy == Approx(1).epsilon(0.001));
}

TEST_CASE("what a link carries in the busiest moment counts, wherever that is")
{
    const int before = GENERATE(0, 1, 50);
    flow_meter m(begin);
    auto now = steady(m, begin, before, 10ms, 10'000);
    now = steady(m, now, 100, 1ms, 10'000);  // ten times as fast, for 100 ms
    steady(m, now, 500, 10ms, 10'000);
    CHECK(m.seen().bytes_per_second == Approx(1e7).epsilon(0.001));
    CHECK(m.seen().busy < 0.25);
}

TEST_CASE("what comes at once after a stall does not make a link look faster")
{
    flow_meter m(begin);
    auto now = steady(m, begin, 400, 1ms, 10'000);
    now += 60ms;
    m.moved(now, 600'000);
    now = steady(m, now, 400, 1ms, 10'000);
    CHECK(m.seen().bytes_per_second == Approx(1e7).epsilon(0.05));
    CHECK(m.seen().busy > 0.95);
}

TEST_CASE("a bunch of messages that come at once does not make a link look much faster")
{
    flow_meter m(begin);
    auto now = begin;
    for (int i = 0; i < 50; ++i) {  // four at a time, as after a late look at the socket
        now += 4ms;
        for (int k = 0; k < 4; ++k) m.moved(now, 10'000);
    }
    CHECK(m.seen().bytes_per_second == Approx(1e7).epsilon(0.05));
    CHECK(m.seen().busy > 0.95);
}

TEST_CASE("too little says nothing of a link")
{
    flow_meter none(begin), few(begin), quick(begin);
    steady(few, begin, 19, 1s, 1 << 20);
    steady(quick, begin, 490, 100us, 1 << 20);
    CHECK(none.seen() == papilio::flow{});
    CHECK(few.seen() == papilio::flow{});
    CHECK(quick.seen() == papilio::flow{});
}
