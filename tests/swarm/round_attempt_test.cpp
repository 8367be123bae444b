#include <papilio/swarm/round_attempt.hpp>

#include <catch2/catch.hpp>

#include <vector>

namespace pa = papilio;
namespace wire = papilio::wire;

namespace {

using member_ids = std::vector<std::uint16_t>;

/// Three voters, and the host as observer.
pa::detail::round_attempt attempt_of_three()
{
    wire::group g{5, 1, 1, 1000, {}};
    g.members.push_back({0, {}, wire::member_role::observer});
    for (std::uint16_t id = 1; id <= 3; ++id) g.members.push_back({id, {}, {}});
    return pa::detail::round_attempt(g, pa::time_point{});
}

wire::round_report success(const std::string& digest)
{
    return {5, 1, true, digest};
}

wire::round_report success_without(std::uint16_t left)
{
    auto report = success("D");
    report.left = {left};
    return report;
}

wire::round_report failure(int culprit)
{
    return {5, 1, false, "", 0, 0, 0, culprit};
}

}  // namespace

TEST_CASE("two of three voters agree on a digest, and an observer does not count", "[membership]")
{
    auto attempt = attempt_of_three();
    attempt.add(0, success("D"));
    attempt.add(1, success("D"));
    CHECK(attempt.agreed_digest().empty());
    attempt.add(2, success("E"));
    CHECK(attempt.agreed_digest().empty());
    attempt.add(3, success("D"));
    CHECK(attempt.agreed_digest() == "D");
}

TEST_CASE("reports of members that have left are not missing", "[membership]")
{
    auto attempt = attempt_of_three();
    pa::member_map members;
    for (std::uint16_t id = 0; id <= 2; ++id) members[id].id = id;
    attempt.add(2, failure(-1));
    CHECK(attempt.missing(members) == member_ids{1});
}

TEST_CASE("voters accuse other voters only", "[membership]")
{
    auto attempt = attempt_of_three();
    attempt.add(0, failure(1));
    attempt.add(1, failure(1));
    attempt.add(2, failure(3));
    attempt.add(3, failure(0));
    const auto count = attempt.accusations();
    CHECK(count.size() == 1);
    CHECK(count.at(3) == 1);
    CHECK_FALSE(attempt.is_majority(1));
    CHECK(attempt.is_majority(2));
}

TEST_CASE("a report about another attempt is refused", "[membership]")
{
    auto attempt = attempt_of_three();
    auto other = success("D");
    other.attempt = 0;
    CHECK_THROWS_AS(attempt.add(1, other), std::system_error);
}

TEST_CASE("the others have gone on without whom more than half of them say so", "[membership]")
{
    auto attempt = attempt_of_three();
    attempt.add(0, success_without(3));
    attempt.add(1, success_without(3));
    CHECK_FALSE(attempt.went_on_without(3, attempt.agreed_digest()));
    CHECK_FALSE(attempt.went_on_without(3, "D"));
    attempt.add(2, success_without(3));
    CHECK(attempt.went_on_without(3, attempt.agreed_digest()));
    CHECK_FALSE(attempt.went_on_without(2, "D"));
    CHECK_FALSE(attempt.went_on_without(3, "E"));
}
