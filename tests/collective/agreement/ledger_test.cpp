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
