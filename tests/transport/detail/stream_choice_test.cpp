#include <papilio/transport/detail/stream_choice.hpp>

#include <catch2/catch.hpp>

#include <algorithm>

namespace pa = papilio;
using pa::detail::stream_choice;
using pa::detail::stream_count;
using namespace std::chrono_literals;

namespace {

pa::tag tag_of(std::uint32_t call, std::uint32_t index = 0)
{
    return pa::make_tag({.call = call, .kind = pa::message_kind::contribution, .index = index});
}

/// Nothing waits to be sent.
std::size_t streams_of(stream_choice& c, pa::tag t, pa::time_point now)
{
    return c.streams(t, now, [](std::uint64_t) { return false; });
}

/// One call that carries `mib` at `rate(streams)` bytes per second; how many streams it had.
template <class Rate>
std::size_t transfer(stream_choice& c, std::uint32_t call, int mib, pa::time_point& now,
                     const Rate& rate)
{
    const auto streams = streams_of(c, tag_of(call), now);
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(mib); ++i) {
        now += pa::duration(static_cast<std::int64_t>(1e9 * 1048576 / rate(streams)));
        CHECK(streams_of(c, tag_of(call, i), now) == streams);
        c.sent(tag_of(call, i), std::size_t{1} << 20, now);
    }
    return streams;
}

}  // namespace

TEST_CASE("streams are added while what they carry grows")
{
    stream_count count(32);
    const auto carried = [&] { return std::min(50e6, 12e6 * static_cast<double>(count.now())); };
    for (int i = 0; i < 10; ++i) count.achieved(carried());
    CHECK(count.now() == 4);  // four carry 48, eight 50: that gains less than a tenth
}

TEST_CASE("one stream that fills its link stays alone, but for a trial now and then")
{
    stream_count count(8);
    int with_one = 0;
    for (int i = 0; i < 170; ++i) {
        with_one += count.now() == 1;
        count.achieved(100e6);
    }
    CHECK(with_one >= 158);
}

TEST_CASE("no more streams are used than there are")
{
    stream_count count(6);
    for (int i = 0; i < 10; ++i) {
        CHECK(count.now() <= 6);
        count.achieved(1e6 * static_cast<double>(count.now()));
    }
    CHECK(count.now() == 6);
}

TEST_CASE("a call keeps its number of streams, and its rate decides about the next one")
{
    stream_choice choice(4);
    pa::time_point now{1s};
    const auto rate = [](std::size_t streams) { return 1e6 * static_cast<double>(streams); };
    CHECK(transfer(choice, 1, 5, now, rate) == 1);
    CHECK(transfer(choice, 2, 5, now, rate) == 2);
    CHECK(transfer(choice, 3, 5, now, rate) == 4);
    CHECK(transfer(choice, 4, 5, now, rate) == 4);
    CHECK(streams_of(choice, tag_of(1), now) == 1);
}

TEST_CASE("each of many calls at once keeps its number of streams")
{
    stream_choice choice(8);
    pa::time_point now{1s};
    const auto rate = [](std::size_t streams) { return 1e9 * static_cast<double>(streams); };
    CHECK(streams_of(choice, tag_of(1), now) == 1);
    for (std::uint32_t call = 2; call < 1000; ++call) transfer(choice, call, 2, now, rate);
    CHECK(streams_of(choice, tag_of(5000), now) == 8);
    CHECK(streams_of(choice, tag_of(1), now) == 1);
    now += 2min;
    for (std::uint32_t call = 6000; call < 8000; ++call) streams_of(choice, tag_of(call), now);
    CHECK(streams_of(choice, tag_of(1), now) == 8);  // what it had sent has long arrived
}

TEST_CASE("little data says nothing about a link")
{
    stream_choice choice(4);
    pa::time_point now{1s};
    for (std::uint32_t call = 1; call < 200; ++call) {
        CHECK(streams_of(choice, tag_of(call), now) == 1);
        now += 1ms;
        choice.sent(tag_of(call), 1000, now);
    }
}

TEST_CASE("a call keeps its number of streams as long as something of it waits")
{
    stream_choice choice(8);
    pa::time_point now{1s};
    CHECK(streams_of(choice, tag_of(1), now) == 1);
    const auto rate = [](std::size_t streams) { return 1e9 * static_cast<double>(streams); };
    for (std::uint32_t call = 2; call < 100; ++call) transfer(choice, call, 2, now, rate);
    now += 2min;
    const auto waits = [](std::uint64_t call) { return call == pa::call_of(tag_of(1)); };
    for (std::uint32_t call = 6000; call < 8000; ++call) choice.streams(tag_of(call), now, waits);
    CHECK(streams_of(choice, tag_of(1), now) == 1);
    CHECK(streams_of(choice, tag_of(2), now) == 8);
}
