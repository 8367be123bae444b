#include <papilio/collective/engine/view_items.hpp>

#include <collective/engine/a_view.hpp>
#include <support/roles.hpp>

#include <catch2/catch.hpp>

#include <tuple>
#include <vector>

using papilio::rank_set;
using papilio::role;
using papilio::detail::item_queue;
using papilio::detail::view_items;
using papilio::test::a_view;
using papilio::test::all_full;

namespace {

/// Number, part and column of what is left in a queue.
using items_left = std::vector<std::tuple<std::size_t, std::size_t, std::uint32_t>>;

items_left left_in(item_queue& queue)
{
    items_left all;
    while (const auto* item = queue.take())
        all.emplace_back(item->number, item->owner, item->column);
    return all;
}

/// Of four peers the last is lost. Peer 0 has what 1 and 2 lack of part 0; all is to be made anew
/// of parts 1 and 3.
a_view after_a_loss()
{
    a_view v(all_full(4), 40, 4);
    v.lose({3});
    v.keep(0, 0, 1, 0, {});
    v.keep(0, 1, 2, 0, {1, 2});
    v.keep(0, 3, 1, 0, {2});
    v.renew(1, 0, 4);
    v.keep(2, 0, 4, 2, {});
    v.renew(3, 0, 4);
    return v;
}

view_items of_peer(const a_view& v, int me)
{
    return {v.plan, v.call, v.settled, me};
}

}  // namespace

TEST_CASE("items are numbered in the order of the proposal without what nobody lacks")
{
    const auto v = after_a_loss();
    auto mine = of_peer(v, 1);
    CHECK(left_in(mine.coming_from(0)) == items_left{{0, 0, 1}, {1, 0, 2}, {7, 3, 0}, {10, 3, 3}});
    CHECK(left_in(mine.made_here()) ==
          items_left{{3, 1, 0}, {4, 1, 1}, {5, 1, 2}, {6, 1, 3}, {8, 3, 1}});
    CHECK(left_in(mine.coming_from(2)) == items_left{{9, 3, 2}});
}

TEST_CASE("who has something that others lack gives it to each of them")
{
    const auto v = after_a_loss();
    auto mine = of_peer(v, 0);
    CHECK(left_in(mine.kept_for(1)) == items_left{{0, 0, 1}, {1, 0, 2}});
    CHECK(left_in(mine.kept_for(2)) == items_left{{0, 0, 1}, {1, 0, 2}, {2, 0, 3}});
    CHECK(left_in(mine.kept_for(3)).empty());
    CHECK(left_in(mine.made_here()) == items_left{{7, 3, 0}, {10, 3, 3}});
}

TEST_CASE("an item says what has to be known of it")
{
    const auto v = after_a_loss();
    auto mine = of_peer(v, 2);
    const auto* kept = mine.coming_from(0).take();
    REQUIRE(kept);
    CHECK_FALSE(kept->anew);
    CHECK(kept->version == 0);
    CHECK(kept->giver == 0);
    CHECK(kept->takers == rank_set{1, 2});
    CHECK(kept->where == v.plan.chunk(0, 1));
    const auto* made = mine.made_here().take();
    REQUIRE(made);
    CHECK(made->anew);
    CHECK(made->version == 3);
    CHECK(made->giver == 2);
    CHECK(made->takers == rank_set{0, 1, 2});
    CHECK(mine.contributors() == rank_set{0, 1, 2});
}

TEST_CASE("in a reduce_scatter a chunk comes from everybody to its owner alone")
{
    a_view v(all_full(3), 30, 1);
    v.lose({2});
    v.scatter();
    v.renew_all();
    auto mine = of_peer(v, 0);
    CHECK(left_in(mine.made_here()) == items_left{{0, 0, 0}});
    CHECK(left_in(mine.coming_from(1)) == items_left{{1, 1, 0}});  // to be contributed to
}

TEST_CASE("what a peer is not to have does not come to it, whatever a proposal says")
{
    a_view v(all_full(3), 30, 1);
    v.scatter();
    v.keep(0, 0, 1, 1, {0, 2});
    CHECK(left_in(of_peer(v, 2).coming_from(1)).empty());
    CHECK(left_in(of_peer(v, 0).coming_from(1)).size() == 1);
    CHECK(left_in(of_peer(v, 1).kept_for(2)).empty());
}

TEST_CASE("whoever by its role has no elements or is no member contributes nothing")
{
    a_view v({role::full, role::auxiliary, role::client, role::full}, 30, 1);
    v.lose({3});
    v.settled.versions.back().contributors = rank_set::of_all(4);
    v.renew_all();
    auto mine = of_peer(v, 1);
    CHECK(mine.contributors() == rank_set{0, 2});
    CHECK(left_in(mine.made_here()) == items_left{{1, 1, 0}});
    CHECK(left_in(mine.coming_from(0)).empty());
}

TEST_CASE("chunks without elements have numbers but no messages")
{
    a_view v(all_full(2), 5, 2, 4);  // parts of three and two elements
    v.renew_all();
    auto mine = of_peer(v, 0);
    CHECK(mine.without_elements().size() == 2);
    CHECK(mine.made_here().size() + mine.coming_from(1).size() == 2);
    CHECK(left_in(mine.coming_from(1)).front() == std::tuple{3u, 1u, 1u});
}
