#include <papilio/collective/detail/ledger.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using pa::message_kind;
using namespace std::chrono_literals;

TEST_CASE("nobody is to blame who owes nothing")
{
    pa::detail::ledger book(3, pa::time_point(0s));
    CHECK(book.laggard() == -1);
    CHECK(book.most_silent() == -1);
    book.expect(1, message_kind::vote, 1);
    CHECK(book.most_silent() == 1);
    book.came(1, message_kind::vote, pa::time_point(1s));
    CHECK(book.most_silent() == -1);
}

TEST_CASE("whoever is furthest behind with contributions is to blame at first hand")
{
    pa::detail::ledger book(3, pa::time_point(0s));
    book.expect(1, message_kind::contribution, 4);
    book.expect(2, message_kind::contribution, 4);
    book.expect(0, message_kind::result, 9);
    book.came(1, message_kind::contribution, pa::time_point(1s));
    book.came(2, message_kind::contribution, pa::time_point(2s));
    book.came(1, message_kind::contribution, pa::time_point(3s));
    CHECK(book.laggard() == 2);
    CHECK(book.most_silent() == 0);  // it has shown no life at all, but may wait for another
}

TEST_CASE("among equals the one that has been silent for longer is to blame")
{
    pa::detail::ledger book(3, pa::time_point(0s));
    book.expect(1, message_kind::contribution, 1);
    book.expect(2, message_kind::contribution, 1);
    book.heard(1, pa::time_point(5s));
    book.heard(2, pa::time_point(4s));
    book.heard(2, pa::time_point(3s));
    CHECK(book.laggard() == 2);
}
