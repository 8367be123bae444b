#include <chaos/attempts.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace papilio::example::chaos;

namespace {

/// How an attempt of five members has ended for one of them, after a second.
attempt_ended ending(bool ok, std::vector<int> without = {}, const std::string& group = "0.0.1")
{
    attempt_ended a;
    a.group = group;
    a.ok = ok;
    a.seconds = 1;
    a.members = {1, 2, 3, 4, 5};
    a.why = ok ? "" : "it failed";
    a.without = std::move(without);
    return a;
}

/// Members 1 to `last` have ended it at `now`.
void end_all(attempts& seen, int last, bool ok, double now)
{
    for (int m = 1; m <= last; ++m) seen.add(m, ending(ok), now, 7);
}

}  // namespace

TEST_CASE("harm is known from its begin until its end, and whoever overlaps it is harmed",
          "[chaos]")
{
    harm h(3);
    h.note(1, true, 10);
    h.note(1, true, 11);
    CHECK(h.any(1, 5, 10));
    CHECK(h.any(1, 20, 30));
    CHECK_FALSE(h.any(1, 5, 9));
    CHECK_FALSE(h.any(2, 0, 30));
    h.note(1, false, 12);
    CHECK(h.any(1, 12, 30));
    CHECK_FALSE(h.any(1, 13, 30));
    h.add(2, 3, 4);
    CHECK(h.any(2, 0, 3));
    CHECK_FALSE(h.any(2, 5, 6));
}

TEST_CASE("an attempt is judged when all have told of it whom nothing has befallen", "[chaos]")
{
    harm h(6);
    attempts seen;
    end_all(seen, 4, true, 10);
    CHECK(seen.take(h, 15).empty());
    h.note(5, true, 9.5);
    const auto over = seen.take(h, 15);
    REQUIRE(over.size() == 1);
    CHECK(over[0].had_majority);
    CHECK(over[0].seen.completed());
    CHECK(over[0].seen.from == 9);
    CHECK(over[0].seen.faults == 7);
    CHECK_FALSE(over[0].seen.without);
    seen.add(5, ending(false), 16, 8);  // it was stopped
    CHECK(seen.take(h, 100).empty());
}

TEST_CASE("who never tells of an attempt is not waited for for ever", "[chaos]")
{
    const harm h(6);
    attempts seen;
    end_all(seen, 2, true, 10);
    CHECK(seen.take(h, 38).empty());
    const auto over = seen.take(h, 39);
    REQUIRE(over.size() == 1);
    CHECK(over[0].had_majority);
    CHECK_FALSE(over[0].seen.completed());
}

TEST_CASE("an attempt has a majority while more than half and the host are unharmed", "[chaos]")
{
    const auto had_majority = [](std::vector<int> harmed) {
        harm h(6);
        for (const int p : harmed) h.add(p, 9.9, 9.95);
        attempts seen;
        end_all(seen, 5, false, 10);
        const auto over = seen.take(h, 15);
        REQUIRE(over.size() == 1);
        return over[0].had_majority;
    };
    CHECK(had_majority({}));
    CHECK(had_majority({1, 5}));
    CHECK_FALSE(had_majority({1, 2, 5}));
    CHECK_FALSE(had_majority({0}));
}

TEST_CASE("an attempt that ends in success for more than half was completed, without some perhaps",
          "[chaos]")
{
    const harm h(6);
    attempts seen;
    for (int m = 1; m <= 3; ++m) seen.add(m, ending(true, {4, 5}), 10, 0);
    for (int m = 4; m <= 5; ++m) seen.add(m, ending(false), 11, 0);
    seen.add(1, ending(true, {}, "1.0.2"), 12, 0);
    for (int m = 2; m <= 5; ++m) seen.add(m, ending(false, {}, "1.0.2"), 12, 0);
    const auto over = seen.take(h, 20);
    REQUIRE(over.size() == 2);
    CHECK(over[0].seen.completed());
    CHECK(over[0].seen.without);
    CHECK(over[0].seen.ended.at(4) == "it failed");
    CHECK_FALSE(over[1].seen.completed());
}
