#include <papilio/collective/detail/ledger.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using pa::message_kind;
using namespace std::chrono_literals;

TEST_CASE("nobody is to blame who owes nothing")
{
    pa::detail::ledger book(3, pa::time_point(0s));
    CHECK(book.behind(message_kind::contribution) == -1);
    CHECK(book.behind(message_kind::vote) == -1);
    book.expect(1, message_kind::vote, 1);
    CHECK(book.behind(message_kind::vote) == 1);
    CHECK(book.behind(message_kind::result) == -1);
    book.came(1, message_kind::vote, pa::time_point(1s));
    CHECK(book.behind(message_kind::vote) == -1);
}

TEST_CASE("whoever is furthest behind is to blame")
{
    pa::detail::ledger book(3, pa::time_point(0s));
    book.expect(1, message_kind::contribution, 4);
    book.expect(2, message_kind::contribution, 4);
    book.came(1, message_kind::contribution, pa::time_point(1s));
    book.came(2, message_kind::contribution, pa::time_point(2s));
    book.came(1, message_kind::contribution, pa::time_point(3s));
    CHECK(book.behind(message_kind::contribution) == 2);
}

TEST_CASE("among equals the one that has been silent for longer is to blame")
{
    pa::detail::ledger book(3, pa::time_point(0s));
    book.expect(1, message_kind::result, 1);
    book.expect(2, message_kind::result, 1);
    book.heard(1, pa::time_point(5s));
    book.heard(2, pa::time_point(4s));
    book.heard(2, pa::time_point(3s));
    CHECK(book.behind(message_kind::result) == 2);
}
