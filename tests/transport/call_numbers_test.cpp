#include <papilio/transport/call_numbers.hpp>

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

using papilio::call_numbers;
using papilio::errc;
using papilio::max_call;
using papilio::test::thrown_by;

TEST_CASE("calls are numbered from 1 to the largest number, and from 1 again")
{
    call_numbers numbers;
    for (std::uint32_t n = 1; n <= max_call; ++n)
        if (numbers.upcoming() != n || numbers.next() != n) FAIL("not " << n);
    CHECK(numbers.next() == 1);
    CHECK(numbers.next() == 2);
}

TEST_CASE("how often a number was begun is counted, for each number by itself")
{
    call_numbers numbers;
    for (std::uint32_t before = 0; before < 40; ++before) {
        CHECK(numbers.begun(7) == before);
        CHECK(numbers.begin(7) == before);
        numbers.end(7);
    }
    CHECK(numbers.begin(8) == 0);
    CHECK(numbers.begun(max_call) == 0);
    CHECK(numbers.begin(max_call) == 0);
}

TEST_CASE("a peer says yes to a call, or must not, whichever is first, until the call ends")
{
    call_numbers numbers;
    CHECK(numbers.forbid(8));  // does not run
    numbers.begin(7);
    numbers.begin(8);
    numbers.commit(7);
    CHECK(!numbers.forbid(7));
    CHECK(numbers.forbid(8));
    CHECK(thrown_by([&] { numbers.commit(8); }) == errc::aborted);
    numbers.end(7);
    numbers.end(8);
    numbers.begin(7);
    numbers.begin(8);
    CHECK(numbers.forbid(7));
    numbers.commit(8);
}

TEST_CASE("a number is in use until its call ends")
{
    call_numbers numbers;
    numbers.begin(7);
    CHECK(thrown_by([&] { numbers.begin(7); }) == errc::bad_argument);
    CHECK(thrown_by([&] { numbers.begin(7); }) == errc::bad_argument);
    CHECK(numbers.begin(6) == 0);
    numbers.end(7);
    CHECK(numbers.begin(7) == 1);  // what was refused has not begun
}
