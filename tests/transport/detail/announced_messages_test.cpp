#include <papilio/transport/detail/announced_messages.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using pa::detail::announced_messages;

namespace {

const announced_messages::address here{1, pa::tag{5}}, there{1, pa::tag{6}};

}  // namespace

TEST_CASE("announced messages are granted in the order in which they wait")
{
    announced_messages waiting;
    CHECK(waiting.empty());
    waiting.add(here, 3, 30);
    waiting.add(there, 4, 40);
    waiting.add(here, 5, 50);
    auto standing = waiting.of(here);
    CHECK(standing.granted == 0);
    REQUIRE(standing.next);
    CHECK(standing.next->number == 3);
    standing.next->granted = true;
    standing = waiting.of(here);
    CHECK(standing.granted == 1);
    REQUIRE(standing.next);
    CHECK(standing.next->size == 50);
    CHECK(!waiting.of({2, pa::tag{5}}).next);
}

TEST_CASE("a message that was asked for is told by its size, and no other is")
{
    announced_messages waiting;
    waiting.add(here, 3, 30);
    CHECK(!waiting.take_granted(here, 30));
    waiting.of(here).next->granted = true;
    CHECK(!waiting.take_granted(here, 31));
    CHECK(!waiting.take_granted(there, 30));
    CHECK(waiting.take_granted(here, 30));
    CHECK(waiting.empty());
}

TEST_CASE("a message that is withdrawn waits no more")
{
    announced_messages waiting;
    waiting.add(here, 3, 30);
    waiting.add(here, 4, 40);
    waiting.remove(here, 3);
    waiting.remove(here, 9);
    waiting.remove(there, 4);
    REQUIRE(waiting.of(here).next);
    CHECK(waiting.of(here).next->number == 4);
    waiting.remove_if([](const auto& from, const auto&) { return from == here; });
    CHECK(waiting.empty());
}

TEST_CASE("a peer that announces more than it may is refused, and others are not")
{
    announced_messages waiting;
    for (std::uint64_t n = 1; n <= pa::wire::max_announced; ++n) waiting.add(here, n, 1);
    CHECK_NOTHROW(waiting.add(here, 1, 1));  // the same again
    CHECK_NOTHROW(waiting.add({2, pa::tag{5}}, 1, 1));
    waiting.remove(here, 1);
    CHECK_NOTHROW(waiting.add(there, 1, 1));
    CHECK_THROWS_AS(waiting.add(there, 2, 1), std::system_error);
}
