#include <papilio/collective/agreement/ledger.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using pa::message_kind;
using namespace std::chrono_literals;

namespace {
constexpr auto anybody = [](int) { return true; };
}

TEST_CASE("nobody is to blame who owes nothing")
{
    pa::detail::ledger book(3, pa::time_point(0s));
    CHECK(book.behind(message_kind::contribution, anybody) == -1);
    CHECK(book.behind(message_kind::vote, anybody) == -1);
    book.expect(1, message_kind::vote);
    CHECK(book.behind(message_kind::vote, anybody) == 1);
    CHECK(book.behind(message_kind::result, anybody) == -1);
    book.came(1, message_kind::vote, pa::time_point(1s));
    CHECK(book.behind(message_kind::vote, anybody) == -1);
}

TEST_CASE("whoever is furthest behind is to blame")
{
    pa::detail::ledger book(3, pa::time_point(0s));
    for (int i = 0; i < 4; ++i) book.expect(1, message_kind::contribution);
    for (int i = 0; i < 4; ++i) book.expect(2, message_kind::contribution);
    book.came(1, message_kind::contribution, pa::time_point(1s));
    book.came(2, message_kind::contribution, pa::time_point(2s));
    book.came(1, message_kind::contribution, pa::time_point(3s));
    CHECK(book.behind(message_kind::contribution, anybody) == 2);
}

TEST_CASE("among equals the one that has been silent for longer is to blame")
{
    pa::detail::ledger book(3, pa::time_point(0s));
    book.expect(1, message_kind::result);
    book.expect(2, message_kind::result);
    book.heard(1, pa::time_point(5s));
    book.heard(1, pa::time_point(3s));  // what is older says nothing new
    book.heard(2, pa::time_point(4s));
    CHECK(book.behind(message_kind::result, anybody) == 2);
}

TEST_CASE("whoever owes more is to blame though it was heard later")
{
    pa::detail::ledger book(3, pa::time_point(0s));
    book.expect(1, message_kind::contribution);
    for (int i = 0; i < 2; ++i) book.expect(2, message_kind::contribution);
    book.heard(1, pa::time_point(1s));
    book.heard(2, pa::time_point(9s));
    CHECK(book.behind(message_kind::contribution, anybody) == 2);
    book.came(2, message_kind::contribution, pa::time_point(10s));
    CHECK(book.behind(message_kind::contribution, anybody) == 1);
}

TEST_CASE("whoever is not suspected is not to blame")
{
    pa::detail::ledger book(3, pa::time_point(0s));
    for (int i = 0; i < 5; ++i) book.expect(1, message_kind::result);
    book.expect(2, message_kind::result);
    CHECK(book.behind(message_kind::result, [](int peer) { return peer != 1; }) == 2);
    CHECK(book.behind(message_kind::result, [](int peer) { return peer == 0; }) == -1);
}

namespace {

constexpr auto no_time = pa::time_point::max();

pa::time_point after(std::chrono::milliseconds when)
{
    return pa::time_point(when);
}

/// Peer 1 has sent three contributions and three results by 1 s, and owes one more of each.
pa::detail::ledger under_way()
{
    pa::detail::ledger book(2, after(0ms), 60s);
    for (int i = 0; i < 4; ++i) {
        book.expect(1, message_kind::contribution);
        book.expect(1, message_kind::result);
    }
    for (int i = 0; i < 3; ++i) {
        book.came(1, message_kind::contribution, after(1s));
        book.answered(1);
        book.came(1, message_kind::result, after(1s));
    }
    return book;
}

}  // namespace

TEST_CASE("a debt counts from the first look after it came to be")
{
    auto book = under_way();
    book.look(after(1500ms));
    CHECK(book.owed_since(1, message_kind::contribution) == after(1500ms));
    book.look(after(2s));
    CHECK(book.owed_since(1, message_kind::contribution) == after(1500ms));
    book.expect(1, message_kind::result);
    book.look(after(3s));
    CHECK(book.owed_since(1, message_kind::result) == after(3s));
    CHECK(book.owed_since(1, message_kind::contribution) == after(1500ms));
}

TEST_CASE("every message of the call is progress, whatever it brings, and a byte is none")
{
    auto book = under_way();
    book.look(after(1500ms));
    book.came(1, message_kind::result, after(4s));
    CHECK(book.owed_since(1, message_kind::contribution) == after(4s));
    book.heard(1, after(5s));
    CHECK(book.owed_since(1, message_kind::contribution) == after(4s));
    CHECK(book.last_message(1) == after(4s));
}

TEST_CASE("before its first message a peer owes nothing that could be late")
{
    pa::detail::ledger book(2, after(0ms), 60s);
    book.expect(1, message_kind::contribution);
    book.expect(1, message_kind::vote);
    book.look(after(1s));
    CHECK(book.owes(1));
    CHECK(book.owed_since(1, message_kind::contribution) == no_time);
    CHECK(book.owed_since(1, message_kind::vote) == no_time);
}

TEST_CASE("before its first result a peer may wait for others with all results")
{
    pa::detail::ledger book(2, after(0ms), 60s);
    for (int i = 0; i < 2; ++i) book.expect(1, message_kind::result);
    book.expect(1, message_kind::contribution);
    book.came(1, message_kind::contribution, after(1s));
    book.look(after(1s));
    CHECK(book.owed_since(1, message_kind::result) == no_time);
    book.came(1, message_kind::result, after(2s));
    CHECK(book.owed_since(1, message_kind::result) == after(2s));
}

TEST_CASE("whoever has no answer to a contribution may wait for it with the next one")
{
    auto book = under_way();
    book.expect(1, message_kind::contribution);
    book.came(1, message_kind::contribution, after(2s));
    book.look(after(3s));
    CHECK(book.owed_since(1, message_kind::contribution) == no_time);
    book.answered(1);
    book.look(after(9s));
    CHECK(book.owed_since(1, message_kind::contribution) == after(9s));
}

TEST_CASE("how fast a peer is shows when three of its messages have come, of results by results")
{
    pa::detail::ledger book(2, after(0ms), 60s);
    for (int i = 0; i < 2; ++i) book.came(1, message_kind::contribution, after(1s));
    CHECK_FALSE(book.has_shown_its_pace(1, message_kind::contribution));
    for (int i = 0; i < 2; ++i) book.came(1, message_kind::result, after(1s));
    CHECK(book.has_shown_its_pace(1, message_kind::contribution));
    CHECK_FALSE(book.has_shown_its_pace(1, message_kind::result));
    book.came(1, message_kind::result, after(1s));
    CHECK(book.has_shown_its_pace(1, message_kind::result));
}

TEST_CASE("the pace follows the longest gap between two looks, while something was owed")
{
    auto book = under_way();
    book.look(after(1s));
    for (const auto when : {1100ms, 1200ms, 2000ms, 2100ms}) {
        book.expect(1, message_kind::result);
        book.came(1, message_kind::result, after(when));
    }
    book.look(after(2500ms));  // 800 ms
    for (int i = 1; i <= 2; ++i) {
        book.expect(1, message_kind::result);
        book.came(1, message_kind::result, after(2100ms + i * 800ms));
        book.look(after(2100ms + i * 800ms));
    }
    REQUIRE(book.pace().deadline());
    CHECK(*book.pace().deadline() == 7500ms);  // ten times, but an eighth of the timeout
}

TEST_CASE("a time in which a peer owed nothing is no gap")
{
    pa::detail::ledger book(2, after(0ms), 60s);
    for (int second = 10; second <= 60; second += 10) {
        book.look(after(std::chrono::seconds(second)));
        book.expect(1, message_kind::contribution);
        book.came(1, message_kind::contribution, after(std::chrono::seconds(second) + 1ms));
        book.answered(1);
    }
    REQUIRE(book.pace().deadline());
    CHECK(*book.pace().deadline() == 2s);
}

TEST_CASE("in a new view the old debts are void, and who has sent something stays known")
{
    auto book = under_way();
    book.look(after(2s));
    book.expect(1, message_kind::contribution);
    book.came(1, message_kind::contribution, after(2s));
    book.reset();
    CHECK_FALSE(book.owes(1));
    CHECK(book.behind(message_kind::result, anybody) == -1);
    book.expect(1, message_kind::contribution);
    book.look(after(3s));
    CHECK(book.owed_since(1, message_kind::contribution) == after(3s));
}

TEST_CASE("in a later view whoever has sent nothing yet owes what is expected, too")
{
    papilio::detail::ledger book(3, {}, 60s);
    book.expect(2, message_kind::contribution);
    book.expect(2, message_kind::result);
    book.look(after(1s));
    CHECK(book.owed_since(2, message_kind::contribution) == pa::time_point::max());
    book.reset();
    book.expect(2, message_kind::contribution);
    book.expect(2, message_kind::result);
    book.look(after(2s));
    CHECK(book.owed_since(2, message_kind::contribution) == after(2s));
    CHECK(book.owed_since(2, message_kind::result) == after(2s));
    CHECK(book.has_shown_its_pace(2, message_kind::result));
}
