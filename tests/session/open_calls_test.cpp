#include <papilio/session/impl/open_calls.hpp>

#include <catch2/catch.hpp>

#include "support/thrown.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace pa = papilio;

namespace {

using pa::detail::open_calls;
using ids = std::vector<pa::wire::aborted_call>;

/// The calls of a group, and those of its transport.
struct open_and_sent {
    open_calls calls;
    pa::call_numbers transport;

    std::vector<std::uint32_t> end(const ids& which, int aborter = 1)
    {
        return calls.end(which, {aborter, "why"}, transport);
    }
};

bool is_dropped(open_calls::entry& e)
{
    return e.ended() && e.end_gate().is_open();
}

constexpr auto by_votes = open_calls::ends_by::votes;

}  // namespace

TEST_CASE("an abort hits the calls that run, or else the next one, or those that are named")
{
    open_calls calls;
    CHECK(calls.targets({}) == ids{{1, 0}});
    CHECK(calls.next_number() == 1);
    CHECK(calls.targets({}) == ids{{2, 0}});
    const open_calls::entry five(calls, 5, by_votes);
    {
        const open_calls::entry seven(calls, 7, by_votes);
        CHECK(calls.targets({}) == ids{{5, 0}, {7, 0}});
    }
    CHECK(calls.targets({}) == ids{{5, 0}});
    CHECK(calls.targets({5, 7, 9}) == ids{{5, 0}, {7, 1}, {9, 0}});
}

TEST_CASE("a call that runs ends, one that has not begun ends at its begin, and no other")
{
    open_and_sent group;
    std::optional<open_calls::entry> one(std::in_place, group.calls, 1, by_votes);
    const open_calls::entry three(group.calls, 3, by_votes);
    CHECK(group.end({{1, 0}, {2, 0}}) == std::vector<std::uint32_t>{2});
    CHECK(is_dropped(*one));
    CHECK(one->ended()->aborter == 1);
    CHECK(one->ended()->reason == "why");
    CHECK(!three.ended());
    one.reset();
    open_calls::entry again(group.calls, 1, by_votes);
    CHECK(!again.ended());
    {
        open_calls::entry two(group.calls, 2, by_votes);
        CHECK(is_dropped(two));
    }
    const open_calls::entry two(group.calls, 2, by_votes);
    CHECK(!two.ended());
}

TEST_CASE("what has ended before an abort of it comes stays so, and the first abort counts")
{
    open_and_sent group;
    {
        const open_calls::entry one(group.calls, 1, by_votes);
    }
    CHECK(!group.calls.would_end({{1, 0}}));
    CHECK(group.end({{1, 0}}).empty());
    open_calls::entry again(group.calls, 1, by_votes);
    CHECK(!again.ended());
    CHECK(group.calls.would_end({{1, 0}, {1, 1}}));
    group.end({{1, 1}}, 4);
    CHECK(!group.calls.would_end({{1, 1}}));
    group.end({{1, 1}}, 5);
    CHECK(again.ended()->aborter == 4);
    CHECK(group.end({{1, 3}}).empty());  // not what this peer begins next
    CHECK(!group.calls.would_end({{1, 3}}));
}

TEST_CASE("attempts of a call that has begun often are told apart beyond 2^15")
{
    open_and_sent group;
    for (int i = 0; i < 32767; ++i) const open_calls::entry past(group.calls, 1, by_votes);
    CHECK(!group.calls.would_end({{1, 32766}}));
    CHECK(group.calls.would_end({{1, 32767}}));
    CHECK(group.calls.would_end({{1, 0}}));
}

TEST_CASE(
    "a call to which this peer has said yes is not dropped by an abort, but by its group's end")
{
    open_and_sent group;
    group.transport.begin(1);
    group.transport.begin(2);
    open_calls::entry by_the_votes(group.calls, 1, by_votes);
    open_calls::entry by_dropping(group.calls, 2, open_calls::ends_by::dropping);
    group.transport.commit(1);
    group.transport.commit(2);
    group.end({{1, 0}, {2, 0}});
    CHECK(by_the_votes.ended());
    CHECK(!is_dropped(by_the_votes));
    CHECK(is_dropped(by_dropping));
    group.calls.end_all();
    CHECK(is_dropped(by_the_votes));
}

TEST_CASE("the group's calls are idle when the last one has ended")
{
    open_calls calls;
    CHECK(calls.idle());
    {
        const open_calls::entry one(calls, 1, by_votes);
        CHECK(!calls.idle());
        CHECK(!calls.idle_gate().is_open());
        CHECK(pa::test::thrown_by([&] { open_calls::entry(calls, 1, by_votes); }) ==
              pa::errc::bad_argument);
    }
    CHECK(calls.idle());
    CHECK(calls.idle_gate().is_open());
}
