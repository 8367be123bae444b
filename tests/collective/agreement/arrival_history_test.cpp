#include <papilio/collective/agreement/arrival_history.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace pa = papilio;
using pa::detail::arrival_history;
using namespace std::chrono_literals;

TEST_CASE("a history begins when the last of those who begin has begun")
{
    arrival_history history;
    history.note(pa::time_point(10ms), {0, 0});
    CHECK(history.empty());
    history.note(pa::time_point(20ms), {1, 0});
    history.note(pa::time_point(30ms), {2, 0});
    history.note(pa::time_point(40ms), {3, 1});
    CHECK(history.first().when == pa::time_point(40ms));
    history.note(pa::time_point(50ms), {4, 2});
    CHECK(history.first().when == pa::time_point(40ms));
    CHECK(history.come() == 2);
}

TEST_CASE("while a process stood still nobody was slow")
{
    arrival_history history;
    history.note(pa::time_point(10ms), {1});
    history.note(pa::time_point(20ms), {2});
    history.pause(1s, pa::time_point(1020ms));
    CHECK(history.first().when == pa::time_point(1010ms));
    CHECK(history.resumed() == pa::time_point(1020ms));
    CHECK(history.pace_of(0, 1, pa::time_point(1020ms)) == 0);
}

TEST_CASE("a pace is that of the latest messages")
{
    arrival_history history;
    for (std::uint32_t i = 0; i < 10; ++i) history.note(pa::time_point(i * 10ms), {i + 1});
    for (std::uint32_t i = 1; i < 5; ++i) history.note(pa::time_point(90ms + i * 1s), {10 + i});
    CHECK(history.since(0, 4).when == pa::time_point(1090ms));
    CHECK(history.pace_of(0, 4, history.last().when) == Approx(0.75));
}

TEST_CASE("a long history is kept in outline, from its first look to its last")
{
    arrival_history history;
    for (std::uint32_t i = 0; i < 10'000; ++i) history.note(pa::time_point(i * 1ms), {i + 1});
    CHECK(history.samples().size() <= 256);
    CHECK(history.first().when == pa::time_point{});
    CHECK(history.last().when == pa::time_point(9999ms));
    CHECK(history.come() == 9'999);
}
