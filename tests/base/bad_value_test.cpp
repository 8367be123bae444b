#include <papilio/base/bad_value.hpp>

#include <catch2/catch.hpp>

using papilio::errc;
using papilio::sentence;
using papilio::detail::bad_length;
using papilio::detail::bad_value;

TEST_CASE("a refusal says what a value is called, what it may be, and what it is")
{
    const auto text = [](const auto& found) { return sentence(bad_value("x", "odd", found)); };
    CHECK(text(8) == "x is odd: it is 8");
    CHECK(text(1e-30) == "x is odd: it is 1e-30");
    CHECK(text(-0.5f) == "x is odd: it is -0.5");
    CHECK(text(std::chrono::microseconds(2)) == "x is odd: it is 2000 ns");
    CHECK(text(std::string("even")) == "x is odd: it is even");
    CHECK(bad_value("x", "odd", 8).code() == errc::bad_argument);
    CHECK(bad_value(errc::bad_message, "x", "odd", 8).code() == errc::bad_message);
}

TEST_CASE("a list of the wrong length is refused with both numbers")
{
    CHECK(sentence(bad_length("roles", 2, 3)) == "roles has 2 entries for a group of 3");
    CHECK(sentence(bad_length("rates", 1, "2 sites")) == "rates has 1 entries for 2 sites");
}
