#include <papilio/wire/vote.hpp>

#include <catch2/catch.hpp>

#include <vector>

namespace pa = papilio;

namespace {

const pa::wire::vote yes{.yes = true, .call = 5, .weights = 6, .weight = 0.5, .result = 7};
const pa::wire::vote no{.call = 5, .culprit = 3, .why = pa::errc::disconnected};

}  // namespace

TEST_CASE("a vote is read as it was cast")
{
    CHECK(pa::wire::parse_vote(pa::wire::encode(yes)) == yes);
    CHECK(pa::wire::parse_vote(pa::wire::encode(no)) == no);
}

TEST_CASE("what is no vote is refused")
{
    const auto good = pa::wire::encode(no);
    CHECK_THROWS_AS(pa::wire::parse_vote(pa::bytes(good).first(47)), std::system_error);
    CHECK_THROWS_AS(pa::wire::parse_vote({}), std::system_error);
    for (const std::size_t byte : {0u, 6u, 36u}) {
        auto bad = good;
        bad[byte] ^= std::byte{1};
        CHECK_THROWS_AS(pa::wire::parse_vote(bad), std::system_error);
    }
    auto maybe = good;
    maybe[4] = std::byte{2};
    CHECK_THROWS_AS(pa::wire::parse_vote(maybe), std::system_error);
}

TEST_CASE("a no is told from a yes, and from what is no vote")
{
    const auto cast = pa::wire::encode(no);
    CHECK(pa::wire::says_no(cast));
    CHECK(!pa::wire::says_no(pa::wire::encode(yes)));
    CHECK(!pa::wire::says_no(pa::bytes(cast).first(47)));
    CHECK(!pa::wire::says_no(std::vector<std::byte>(48)));
}

TEST_CASE("a yes gives no reason, and a no gives one that there is")
{
    auto doubtful = yes;
    doubtful.why = pa::errc::timed_out;
    CHECK_THROWS_AS(pa::wire::parse_vote(pa::wire::encode(doubtful)), std::system_error);
    auto unfounded = no;
    unfounded.why = {};
    CHECK_THROWS_AS(pa::wire::parse_vote(pa::wire::encode(unfounded)), std::system_error);
    unfounded.why = pa::errc{200};
    CHECK_THROWS_WITH(pa::wire::parse_vote(pa::wire::encode(unfounded)),
                      Catch::Contains("the reason of a no is a code of papilio::errc: it is 200"));
    auto weightless = yes;
    weightless.weight = -1;
    CHECK_THROWS_AS(pa::wire::parse_vote(pa::wire::encode(weightless)), std::system_error);
}
