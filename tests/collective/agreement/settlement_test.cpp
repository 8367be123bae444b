#include <papilio/collective/agreement/settlement.hpp>

#include <catch2/catch.hpp>

#include <optional>
#include <vector>

using papilio::rank_set;
using papilio::role;
using papilio::detail::call_shape;
using papilio::detail::promises_by_rank;
using papilio::detail::settling;
using papilio::detail::voters;
namespace wire = papilio::wire;

namespace {

/// Three full peers, of which peer 2 is lost; each part has four columns.
struct three {
    three()
    {
        for (int peer = 0; peer < 2; ++peer) {
            wire::promise p;
            p.weights = {1, 2, 4};
            p.versions = {{0, {0, 1, 2}}};
            p.held.resize(3);
            promises.push_back(p);
        }
        call.needed_by.assign(3, {0, 1, 2});
    }

    /// Both have come to view 2, in which they are the members.
    void join_view_2()
    {
        for (auto& p : promises) {
            p.joined = 2;
            p.versions = {{0, {0, 1, 2}}, {2, {0, 1}}};
        }
    }

    wire::proposal settle(std::uint8_t view = 1, const rank_set& members = {0, 1}) const
    {
        return settling(call, view, members, promises_by_rank{&promises[0], &promises[1], nullptr})
            .take();
    }

    call_shape call{voters(std::vector<role>(3, role::full), {0, 1, 2}), {3, 3, 4}, {}, false};
    std::vector<wire::promise> promises;
};

using runs = std::vector<wire::proposed_run>;

}  // namespace

TEST_CASE("what a member holds is kept, from the lowest rank, and the rest is made anew")
{
    three t;
    t.promises[0].held[2] = {{0, 2, 0}};
    t.promises[1].held[2] = {{1, 2, 0}};
    const auto p = t.settle();
    CHECK(p.runs[2] ==
          runs{{0, 1, 0, 0, {1}}, {1, 1, 0, 0, {}}, {2, 1, 0, 1, {0}}, {3, 1, 1, -1, {0, 1}}});
    CHECK(p.runs[0] == runs{{0, 4, 1, -1, {0, 1}}});
    CHECK(p.versions == std::vector<wire::version_contributors>{{0, {0, 1, 2}}, {1, {0, 1}}});
    CHECK(p.adopted == wire::no_view);
}

TEST_CASE(
    "of a call that gathers parts are kept of which members have all, and others are left out")
{
    three t;
    t.call.gathers = true;
    t.promises[0].held[0] = {{0, 4, 0}};
    t.promises[1].held[1] = {{0, 4, 0}};
    t.promises[0].held[2] = {{0, 3, 0}};
    const auto without = t.settle();
    CHECK(without.runs[0] == runs{{0, 4, 0, 0, {1}}});
    CHECK(without.runs[1] == runs{{0, 4, 0, 1, {0}}});
    CHECK(without.runs[2].empty());
    CHECK(without.versions == std::vector<wire::version_contributors>{{0, {0, 1, 2}}});
    t.promises[1].held[2] = {{2, 2, 0}};
    CHECK(t.settle().runs[2] == runs{{0, 2, 0, 0, {1}}, {2, 1, 0, 0, {}}, {3, 1, 0, 1, {0}}});
}

TEST_CASE("what a vote has left out of a call that gathers stays out, whoever has it")
{
    three t;
    t.call.gathers = true;
    t.promises[0].joined = 1;
    t.promises[0].voted = 1;
    t.promises[0].held = {{{0, 4, 0}}, {}, {{0, 4, 0}}};
    t.promises[1].held.assign(3, {{0, 4, 0}});
    const auto p = t.settle(2);
    CHECK(p.adopted == 1);
    CHECK(p.runs[0] == runs{{0, 4, 0, 0, {}}});
    CHECK(p.runs[1].empty());
    CHECK(p.runs[2] == runs{{0, 4, 0, 0, {}}});
}

TEST_CASE("the latest vote is adopted as it is, though somebody holds a later version")
{
    three t;
    t.join_view_2();
    t.promises[0].voted = 0;
    t.promises[0].held.assign(3, {{0, 4, 0}});
    t.promises[1].held.assign(3, {{0, 4, 2}});
    const auto p = t.settle(3);
    CHECK(p.adopted == 0);
    for (const auto& part : p.runs) CHECK(part == runs{{0, 4, 0, 0, {1}}});
}

TEST_CASE("what is adopted is given by the lowest rank that has it, whether that has voted or not")
{
    three t;
    t.promises[0].held[2] = {{0, 4, 0}};
    t.promises[1].voted = 0;
    t.promises[1].held.assign(3, {{0, 4, 0}});
    const auto p = t.settle();
    CHECK(p.adopted == 0);
    CHECK(p.runs[0] == runs{{0, 4, 0, 1, {0}}});
    CHECK(p.runs[2] == runs{{0, 4, 0, 0, {}}});
}

TEST_CASE("of two votes the later one is adopted")
{
    three t;
    t.join_view_2();
    t.promises[0].voted = 0;
    t.promises[0].held.assign(3, {{0, 4, 0}});
    t.promises[1].voted = 2;
    t.promises[1].held.assign(3, {{0, 4, 2}});
    const auto p = t.settle(3);
    CHECK(p.adopted == 2);
    for (const auto& part : p.runs) CHECK(part == runs{{0, 4, 2, 1, {0}}});
}

TEST_CASE("votes of auxiliaries that decline the result, and chunks that they keep, adopt nothing")
{
    const std::vector<role> roles{role::full, role::full, role::full, role::auxiliary};
    const rank_set holders{0, 1, 2};
    const call_shape call{voters(roles, holders),
                          {4, 4, 1},
                          {holders, holders, holders, rank_set{0, 1, 2, 3}},
                          false};
    std::vector<wire::promise> promises(4);
    for (auto& p : promises) {
        p.joined = 2;
        p.weights.assign(4, 1);
        p.versions = {{0, holders}, {1, {0, 1}}, {2, {0, 1}}};
        p.held.resize(4);
    }
    const promises_by_rank all{&promises[0], &promises[1], nullptr, &promises[3]};
    const auto version_of_2 = [&] {
        return settling(call, 3, {0, 1, 3}, all).take().runs[2].front().version;
    };
    // 3 stood in for 2 in view 1, and keeps what it made; 0 has voted for what 2 had made.
    promises[3].held[2] = {{0, 1, 1}};
    promises[3].voted = promises[0].voted = 0;
    promises[0].held.assign(4, {{0, 1, 0}});
    CHECK(version_of_2() == 0);
    // A vote that it alone has cast later does not hide 0's.
    promises[3].voted = 2;
    promises[3].held[3] = {{0, 1, 2}};
    CHECK(version_of_2() == 0);
    CHECK(settling(call, 3, {0, 1, 3}, all).take().adopted == 0);
}

TEST_CASE("what is adopted stays though a weight is not known, and then nothing is proposed")
{
    three t;
    t.promises[0].voted = 0;
    t.promises[0].held.assign(3, {{0, 4, 0}});
    for (auto& p : t.promises) p.weights[2] = wire::unknown_weight;
    const auto p = t.settle();
    for (const auto& part : p.runs) CHECK(part == runs{{0, 4, 0, 0, {1}}});
    CHECK(papilio::detail::has_unknown_weight(p));
}

TEST_CASE("a version of which a weight is not known is made anew, for no report could name it")
{
    three t;
    t.promises[0].held.assign(3, {{0, 4, 0}});
    for (auto& p : t.promises) p.weights[2] = wire::unknown_weight;
    for (const auto& part : t.settle().runs) CHECK(part == runs{{0, 4, 1, -1, {0, 1}}});
}

TEST_CASE("who weighs nothing contributes to no version that is made anew")
{
    three t;
    t.promises[0].weights[1] = t.promises[1].weights[1] = 0;
    const auto p = t.settle();
    CHECK(p.versions == std::vector<wire::version_contributors>{{1, {0}}});
    CHECK_FALSE(papilio::detail::has_no_contributor(p));
    t.promises[0].weights[0] = t.promises[1].weights[0] = 0;
    CHECK(papilio::detail::has_no_contributor(t.settle()));
}

TEST_CASE("uniform contributions keep all of one version, or make all anew")
{
    three t;
    t.call.uniform = true;
    t.promises[0].held.assign(3, {{0, 4, 0}});
    t.promises[1].held.assign(3, {{0, 3, 0}});
    for (const auto& part : t.settle().runs)
        CHECK(part == runs{{0, 3, 0, 0, {}}, {3, 1, 0, 0, {1}}});
    t.promises[0].held[1] = {{0, 3, 0}};
    for (const auto& part : t.settle().runs) CHECK(part == runs{{0, 4, 1, -1, {0, 1}}});
}

TEST_CASE(
    "a vote of view 0 does not keep others from making a uniform result anew if it is in vain")
{
    three t;
    t.call.uniform = true;
    t.call.needed_by = {{0}, {1}, {2}};  // as in a reduce_scatter
    t.promises[0].voted = 0;
    t.promises[0].held[0] = {{0, 4, 0}};
    const auto p = t.settle();  // peer 1 has promised, and so will not vote in view 0
    CHECK(p.adopted == wire::no_view);
    CHECK(p.runs[0] == runs{{0, 4, 1, -1, {0}}});
    CHECK(p.runs[1] == runs{{0, 4, 1, -1, {1}}});
    t.promises[1].voted = 0;
    t.promises[1].held[1] = {{0, 4, 0}};
    const auto all_voted = t.settle();  // and peer 2 may have, too
    CHECK(all_voted.adopted == 0);
    CHECK(all_voted.runs[0] == runs{{0, 4, 0, 0, {}}});
    CHECK(all_voted.runs[1] == runs{{0, 4, 0, 1, {}}});
}

TEST_CASE("a part that no member needs is left out")
{
    three t;
    t.call.needed_by = {{0}, {1}, {2}};
    const auto p = t.settle();
    CHECK(p.runs[0] == runs{{0, 4, 1, -1, {0}}});
    CHECK(p.runs[2].empty());
}

TEST_CASE("an owner that is lost is stood in for by the others in turn")
{
    const three t;
    const auto p = t.settle();
    CHECK(papilio::detail::writer(t.call.who, p, 1, 3) == 1);
    CHECK(papilio::detail::writer(t.call.who, p, 2, 0) == 0);
    CHECK(papilio::detail::writer(t.call.who, p, 2, 1) == 1);
    CHECK(papilio::detail::writer(t.call.who, p, 2, 2) == 0);
}

TEST_CASE("a peer of whom two members tell different weights is found")
{
    three t;
    const promises_by_rank all{&t.promises[0], &t.promises[1], nullptr};
    CHECK(papilio::detail::two_weights(all) == -1);
    t.promises[1].weights[2] = wire::unknown_weight;
    CHECK(papilio::detail::two_weights(all) == -1);
    t.promises[1].weights[2] = 5;
    CHECK(papilio::detail::two_weights(all) == 2);
}

TEST_CASE("what one client lacks comes from a reducer, or is made anew")
{
    three t;
    t.call.who =
        voters(std::vector{role::client, role::full, role::client, role::full}, {0, 1, 2, 3});
    t.call.extent = {4, 4, 1};
    t.call.needed_by.assign(4, {0, 1, 2, 3});
    t.promises.resize(4, t.promises.front());
    for (auto& p : t.promises) {
        p.weights = {1, 1, 1, 1};
        p.versions = {{0, {0, 1, 2, 3}}};
        p.held.assign(4, {});
    }
    t.promises[0].held[1] = t.promises[1].held[1] = {{0, 1, 0}};
    t.promises[0].held[3] = {{0, 1, 0}};
    const rank_set members{0, 1, 2};
    const auto p =
        settling(t.call, 1, members,
                 promises_by_rank{&t.promises[0], &t.promises[1], &t.promises[2], nullptr})
            .take();
    CHECK(p.runs[1] == runs{{0, 1, 0, 1, {2}}});
    CHECK(p.runs[3] == runs{{0, 1, 1, -1, members}});
}
