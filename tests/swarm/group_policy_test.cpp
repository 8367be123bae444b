#include <papilio/swarm/group_policy.hpp>

#include <catch2/catch.hpp>

#include <vector>

namespace pa = papilio;
namespace wire = papilio::wire;
using namespace std::chrono_literals;

namespace {

using member_ids = std::vector<std::uint16_t>;

pa::member in_state(std::uint16_t id, pa::member_state state)
{
    pa::member m;
    m.id = id;
    m.state = state;
    return m;
}

pa::member_map ready_members(std::uint16_t count)
{
    pa::member_map members;
    for (std::uint16_t id = 1; id <= count; ++id)
        members[id] = in_state(id, pa::member_state::ready);
    return members;
}

}  // namespace

TEST_CASE("only members that are ready are candidates", "[membership]")
{
    auto members = ready_members(3);
    members[2].state = pa::member_state::training;
    members[4] = in_state(4, pa::member_state::late);
    CHECK(pa::detail::group_candidates(members, std::nullopt) == member_ids{1, 3});
    CHECK(pa::detail::group_candidates(members, std::uint16_t{3}) == member_ids{1});
}

TEST_CASE("a group waits for members that train or report late, not for outdated ones",
          "[membership]")
{
    auto members = ready_members(2);
    const pa::membership_options o{.group_wait = 5s};
    const auto due = [&](pa::member_state third) {
        members[3] = in_state(3, third);
        return pa::detail::group_due(members, {1, 2}, std::nullopt, o);
    };
    const auto after_wait = pa::time_point{} + 5s;
    CHECK(due(pa::member_state::outdated) == pa::time_point::min());
    CHECK(due(pa::member_state::training) == after_wait);
    CHECK(due(pa::member_state::late) == after_wait);
    CHECK(due(pa::member_state::late_outdated) == after_wait);
}

TEST_CASE("members that were skipped most often go first", "[membership]")
{
    auto members = ready_members(4);
    members[3].skipped = 2;
    members[4].skipped = 1;
    const auto choice = pa::detail::choose_group(members, {1, 2, 3, 4}, 2);
    CHECK(choice.chosen == member_ids{3, 4});
    CHECK(choice.skipped == member_ids{2, 1});
}

TEST_CASE("nobody is excluded before three attempts have failed", "[membership]")
{
    const pa::detail::blame_count blamed{{1, 1}, {2, 3}};
    CHECK_FALSE(pa::detail::excluded_member(2, blamed));
    CHECK(pa::detail::excluded_member(3, blamed) == std::uint16_t{2});
    CHECK_FALSE(pa::detail::excluded_member(3, {}));
}
