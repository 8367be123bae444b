#include <papilio/transport/detail/announced_messages.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using pa::detail::announced_messages;
using state = announced_messages::state;

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
    waiting.answer(here, *standing.next, state::granted);
    standing = waiting.of(here);
    CHECK(standing.granted == 1);
    REQUIRE(standing.next);
    CHECK(standing.next->size == 50);
    CHECK(!waiting.of({2, pa::tag{5}}).next);
}

TEST_CASE("a message ends the first announcement of its tag, if that is of its size")
{
    announced_messages waiting;
    waiting.add(here, 3, 30);
    waiting.add(here, 4, 31);
    CHECK(!waiting.take(here, 31));
    CHECK(!waiting.take(there, 30));
    waiting.answer(here, *waiting.of(here).next, state::granted);
    const auto first = waiting.take(here, 30), second = waiting.take(here, 31);
    REQUIRE(first);
    CHECK(first->granted());
    REQUIRE(second);
    CHECK(second->number == 4);
    CHECK(second->is == state::unanswered);
    CHECK(waiting.empty());
}

TEST_CASE("for each receive that is dropped one message that was granted may find none")
{
    announced_messages waiting;
    for (std::uint64_t n = 1; n <= 3; ++n) {
        waiting.add(here, n, 1);
        waiting.answer(here, *waiting.of(here).next, state::granted);
    }
    waiting.dropped(here, 3);  // there was one more
    waiting.dropped(here, 2);
    waiting.dropped(there, 0);
    CHECK(waiting.take(here, 1)->is == state::granted);
    CHECK(waiting.take(here, 1)->is == state::granted);
    CHECK(waiting.take(here, 1)->is == state::spare);
}

TEST_CASE("a message that was granted behind a spare one is spare when its receive is dropped")
{
    announced_messages waiting;
    for (std::uint64_t n = 1; n <= 2; ++n) {
        waiting.add(here, n, 1);
        waiting.answer(here, *waiting.of(here).next, state::granted);
        waiting.dropped(here, n == 1 ? 0 : 1);  // the second receive is one more than wait
    }
    CHECK(waiting.take(here, 1)->is == state::spare);
    CHECK(waiting.take(here, 1)->is == state::spare);
}

TEST_CASE("numbers rise under a tag")
{
    announced_messages waiting;
    waiting.add(here, 3, 1);
    CHECK_THROWS_AS(waiting.add(here, 3, 1), std::system_error);
    CHECK_THROWS_AS(waiting.add(here, 2, 1), std::system_error);
    waiting.answer(here, *waiting.of(here).next, state::granted);
    CHECK_THROWS_AS(waiting.add(here, 1, 1), std::system_error);
    waiting.add(there, 2, 1);
    waiting.add(here, 4, 1);
    CHECK(waiting.of(here).next->number == 4);
}

TEST_CASE("a message that is withdrawn waits no more")
{
    announced_messages waiting;
    waiting.add(here, 3, 30);
    waiting.add(here, 4, 40);
    waiting.remove(here, 3);
    CHECK(!waiting.remove(here, 9));
    CHECK(!waiting.remove(there, 4));
    REQUIRE(waiting.of(here).next);
    CHECK(waiting.of(here).next->number == 4);
    waiting.remove_if([](const auto& from, const auto&) { return from == here; });
    CHECK(waiting.empty());
}

TEST_CASE("a peer of whose announcements too many are unanswered is refused, and others are not")
{
    announced_messages waiting;
    for (std::uint64_t n = 1; n <= pa::wire::max_announced; ++n) waiting.add(here, n, 1);
    CHECK_NOTHROW(waiting.add({2, pa::tag{5}}, 1, 1));
    waiting.answer(here, *waiting.of(here).next, state::granted);
    CHECK_NOTHROW(waiting.add(there, 1, 1));
    waiting.remove(here, 1);  // has been answered before
    waiting.remove(here, 2);
    CHECK_NOTHROW(waiting.add(there, 2, 1));
    CHECK_THROWS_AS(waiting.add(there, 3, 1), std::system_error);
}
