#include <papilio/collective/agreement/contribution_weights.hpp>

#include <support/roles.hpp>
#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace papilio;
using namespace papilio::detail;
using test::all_full;
using test::thrown_by;

namespace {

constexpr double impossible_weights[] = {-1.0, -0.0, 0x1p53,
                                         std::numeric_limits<double>::infinity(),
                                         std::numeric_limits<double>::quiet_NaN()};

/// What peer `me` knows of a call among peers of these roles.
struct scene {
    explicit scene(std::vector<role> roles, std::vector<int> radix = {}, double mine = 1,
                   bool all_contribute = false, int me = 0)
        : plan{.stages = butterfly(static_cast<int>(roles.size()), radix),
               .parts = {},
               .roles = std::move(roles),
               .all_contribute = all_contribute},
          call{.call = 7,
               .peers = static_cast<std::uint16_t>(plan.roles.size()),
               .count = 100,
               .columns = 4,
               .weight = mine},
          weights(call, plan, me)
    {
    }

    /// A first message of a peer that says this weight.
    std::vector<std::byte> first(double weight) const
    {
        auto theirs = call;
        theirs.weight = weight;
        const auto head = wire::encode(theirs);
        std::vector<std::byte> message(head.begin(), head.end());
        message.resize(message.size() + 5);
        return message;
    }

    std::error_code take(int peer, double weight)
    {
        return thrown_by([&] { weights.take(peer, first(weight)); });
    }
    /// The same of a later stage, of a contribution that is made of these.
    std::error_code take_with(int peer, double weight, std::vector<double> of)
    {
        auto message = first(weight);
        message.resize(56 + of.size() * sizeof(double));
        wire::store_weights(of, mutable_bytes(message).subspan(56));
        return thrown_by([&] { weights.take(peer, message); });
    }
    std::error_code note(int peer, double weight)
    {
        return thrown_by([&] { weights.note(peer, weight); });
    }
    std::error_code check_block(int peer, int stage)
    {
        return thrown_by([&] { weights.check_block(peer, stage); });
    }

    call_plan plan;
    wire::descriptor call;
    contribution_weights weights;
};

using found = std::vector<contributor>;

}  // namespace

TEST_CASE("contributions are told in rank order with the weights of their descriptors")
{
    scene s(all_full(3), {}, 0.5, false, 1);
    CHECK_FALSE(s.take(2, 4));
    CHECK_FALSE(s.take(0, 3));
    CHECK(s.weights.of_stage(0) == found{{0, 3}, {1, 0.5}, {2, 4}});
    CHECK(weights_of(s.weights.of_stage(0)) == std::vector<double>{3, 0.5, 4});
    CHECK(s.weights.of(0) == 3);
    CHECK(s.weights.of(1) == 0.5);
}

TEST_CASE("a contribution of weight 0 has no elements and is left out")
{
    scene s(all_full(3), {}, 0);
    CHECK_FALSE(s.take(1, 0));
    CHECK_FALSE(s.take(2, 2));
    CHECK_FALSE(s.weights.has_elements(0, 0));
    CHECK_FALSE(s.weights.has_elements(1, 0));
    CHECK(s.weights.has_elements(2, 0));
    CHECK(s.weights.of_stage(0) == found{{2, 2}});
}

TEST_CASE("whoever contributes nothing by its role weighs nothing whatever it says")
{
    scene s({role::auxiliary, role::full, role::observer, role::client});
    CHECK_FALSE(s.take(1, 2));
    CHECK_FALSE(s.take(2, 9));
    CHECK_FALSE(s.take(3, 3));
    CHECK(s.weights.of_stage(0) == found{{1, 2}, {3, 3}});
    CHECK(s.weights.of(0) == 0);
    CHECK(s.weights.of(2) == 0);
    CHECK_FALSE(s.weights.contributes_block(0, 0));
    CHECK_FALSE(s.weights.contributes_block(2, 0));
    CHECK(s.weights.contributes_block(3, 0));
}

TEST_CASE("a descriptor that is cut short or names an impossible weight is refused")
{
    scene s(all_full(2));
    const auto good = s.first(1);
    for (const std::size_t size : {0u, 1u, 47u})
        CHECK(thrown_by([&] { s.weights.take(1, bytes(good).first(size)); }) == errc::bad_message);
    for (const double weight : impossible_weights) CHECK(s.take(1, weight) == errc::bad_message);
    CHECK(s.weights.of_stage(0) == found{{0, 1}});
    CHECK_FALSE(s.take(1, 0x1p53 - 1));
}

TEST_CASE("a descriptor of another call is refused before its weight is taken")
{
    scene s(all_full(2));
    auto other = s.call;
    other.columns = 5;
    other.weight = 8;
    CHECK(thrown_by([&] { s.weights.take(1, wire::encode(other)); }) == errc::mismatch);
    CHECK(s.weights.of(1) == 0);
    CHECK(s.weights.of_stage(0) == found{{0, 1}});
}

TEST_CASE("a weight of 0 is refused where all have to contribute")
{
    scene s(all_full(4), {2, 2}, 0, true);
    CHECK(s.take(1, 0) == errc::no_contribution);
    CHECK(s.note(3, 0) == errc::no_contribution);
    CHECK(thrown_by([&] { s.weights.check_own(); }) == errc::no_contribution);
    scene uneven(all_full(4), {2, 2}, 0);
    CHECK_FALSE(uneven.take(1, 0));
    CHECK_FALSE(uneven.note(3, 0));
    CHECK_NOTHROW(uneven.weights.check_own());
}

TEST_CASE("whoever contributes nothing by its role is not missed where all have to contribute")
{
    scene s({role::auxiliary, role::full, role::auxiliary, role::auxiliary}, {2, 2}, 0, true);
    CHECK_NOTHROW(s.weights.check_own());
    CHECK_FALSE(s.note(3, 0));
}

TEST_CASE("in each stage a contribution weighs what the stages before have told of its block")
{
    // Of 12 peers in three stages, rank 0 meets 1 and 2, then 3, then 6.
    scene s(all_full(12), {3, 2, 2}, 0.5);
    CHECK_FALSE(s.take(1, 2));
    CHECK_FALSE(s.take(2, 0));
    CHECK_FALSE(s.take(3, 6));
    CHECK_FALSE(s.take(6, 1.25));
    CHECK(s.weights.of_stage(0) == found{{0, 0.5}, {1, 2}});
    CHECK(s.weights.of_stage(1) == found{{0, 2.5}, {3, 6}});
    CHECK(s.weights.of_stage(2) == found{{0, 8.5}, {6, 1.25}});
    CHECK(s.weights.descriptor(0).weight == 0.5);
    CHECK(s.weights.descriptor(1).weight == 2.5);
    CHECK(s.weights.descriptor(2).weight == 8.5);
    CHECK(s.weights.of(3) == 0);  // its block's weight is not its own
}

TEST_CASE("behind the descriptor of a later stage stand the weights of its block, for all to know")
{
    // Of 12 peers in three stages, rank 0 meets 1 and 2, then 3, then 6.
    scene s(all_full(12), {3, 2, 2}, 0.5);
    s.plan.tells_weights = true;
    CHECK(s.weights.take(1, s.first(2)) == 56);
    CHECK(s.weights.take(2, s.first(1)) == 56);
    CHECK(s.weights.behind_descriptor(0).empty());
    CHECK(s.weights.behind_descriptor(1) == std::vector<double>{0.5, 2, 1});
    CHECK_FALSE(s.weights.known(4));
    CHECK(s.take_with(3, 7, {3, 4, 0}) == std::error_code());
    CHECK(s.weights.known(4) == 4);
    CHECK(s.weights.known(5) == 0);
    CHECK(s.weights.of(4) == 0);  // which it has not said itself
    CHECK(s.weights.behind_descriptor(2) == std::vector<double>{0.5, 2, 1, 3, 4, 0});
    CHECK_FALSE(s.note(4, 3));  // nor is it bound by what others say
    CHECK(s.weights.known(4) == 3);
}

TEST_CASE("the weights behind a descriptor are those of a block, whichever of its peers sends them")
{
    // Of 12 peers in three stages, rank 1 meets 0 and 2, then 4 of 3 to 5, then 7.
    scene s(all_full(12), {3, 2, 2}, 1, false, 1);
    s.plan.tells_weights = true;
    CHECK_FALSE(s.take_with(4, 12, {3, 4, 5}));
    for (const int peer : {3, 4, 5}) CHECK(s.weights.known(peer) == peer);
    CHECK_FALSE(s.weights.known(6));
}

TEST_CASE("weights behind a descriptor that are too few, or add up to another one, are refused")
{
    scene s(all_full(4), {2, 2});
    s.plan.tells_weights = true;
    CHECK(s.take_with(2, 3, {3}) == errc::bad_message);
    CHECK(s.take_with(2, 3, {3, -1}) == errc::bad_message);
    CHECK(s.take_with(2, 3, {3, 1}) == errc::mismatch);
    CHECK_FALSE(s.weights.known(2));
    s.plan.sums_count = true;
    CHECK_FALSE(s.take_with(2, 2, {3, 1}));
    CHECK(s.weights.known(2) == 3);
}

TEST_CASE("all weights stand before a first result where somebody has no part, and nowhere else")
{
    scene s(all_full(3));
    s.plan.parts = {{0, 50}, {50, 50}, {100, 0}};
    CHECK(s.plan.weights_in_result() == 0);
    s.plan.tells_weights = true;
    CHECK(s.plan.weights_in_result() == 3);
    s.plan.parts = {{0, 50}, {50, 50}, {100, 1}};
    CHECK(s.plan.weights_in_result() == 0);
}

TEST_CASE("where sums count, a contribution weighs as many as it is made of")
{
    scene s(all_full(12), {3, 2, 2}, 0.5);
    s.plan.sums_count = true;
    CHECK_FALSE(s.take(1, 2));
    CHECK_FALSE(s.take(2, 0));
    CHECK_FALSE(s.take(3, 3));
    CHECK_FALSE(s.take(6, 4));
    CHECK(s.weights.of_stage(0) == found{{0, 0.5}, {1, 2}});
    CHECK(s.weights.of_stage(1) == found{{0, 2}, {3, 3}});
    CHECK(s.weights.of_stage(2) == found{{0, 5}, {6, 4}});
    CHECK(s.weights.descriptor(0).weight == 0.5);
    CHECK(s.weights.descriptor(1).weight == 2);
    CHECK(s.weights.descriptor(2).weight == 5);
    for (const int peer : {3, 4, 5}) CHECK_FALSE(s.note(peer, 7));
    CHECK_FALSE(s.check_block(3, 1));
    CHECK(s.weights.of(4) == 7);  // of each alone it is what it has told
    for (const int peer : {6, 7, 8, 9, 10, 11}) CHECK_FALSE(s.note(peer, 7));
    CHECK(s.check_block(6, 2) == errc::mismatch);  // six of them, and not four
}

TEST_CASE("the descriptor of a later stage speaks for a block of which one peer contributes")
{
    scene s({role::auxiliary, role::full, role::auxiliary, role::auxiliary}, {2, 2}, 7);
    CHECK(s.weights.descriptor(0).weight == 7);
    CHECK_FALSE(s.take(1, 3));
    CHECK(s.weights.descriptor(1).weight == 3);
    CHECK_FALSE(s.weights.contributes_block(2, 1));
    CHECK_FALSE(s.take(2, 5));
    CHECK(s.weights.of_stage(1) == found{{0, 3}});
}

TEST_CASE("a vote that names an impossible weight is refused")
{
    scene s({role::full, role::full, role::auxiliary});
    for (const double weight : impossible_weights) CHECK(s.note(1, weight) == errc::bad_message);
    CHECK(s.note(2, 1) == errc::bad_message);
    CHECK_FALSE(s.note(2, 0));
    CHECK_FALSE(s.note(1, 0));
}

TEST_CASE("a peer that tells two different weights is found out by its vote")
{
    scene s(all_full(3));
    CHECK_FALSE(s.take(1, 2));
    CHECK_FALSE(s.take(2, 0));
    CHECK_FALSE(s.note(1, 2));
    CHECK(s.note(1, std::nextafter(2, 3)) == errc::mismatch);
    CHECK(s.note(2, 1) == errc::mismatch);
    CHECK(s.weights.of(1) == 2);
}

TEST_CASE("nobody else can change what this peer weighs")
{
    scene s(all_full(2), {}, 1.5);
    CHECK(s.note(0, 1) == errc::mismatch);
    CHECK_FALSE(s.note(0, 1.5));
}

TEST_CASE("a peer that votes before it contributes is held to the weight of its vote")
{
    scene s(all_full(3));
    CHECK_FALSE(s.note(1, 2));
    CHECK_FALSE(s.note(2, 0));
    CHECK(s.take(1, 3) == errc::mismatch);
    CHECK(s.take(2, 1) == errc::mismatch);
    CHECK_FALSE(s.take(1, 2));
    CHECK_FALSE(s.take(2, 0));
}

TEST_CASE("a client is not held to what another said of it before it contributed")
{
    scene s({role::full, role::full, role::client, role::client});
    CHECK_FALSE(s.note(2, 9));  // as a reducer's vote may say
    CHECK_FALSE(s.take(2, 1));
    CHECK_FALSE(s.note(2, 1));
}

TEST_CASE("a sum weighs what votes say of those who are in it, whichever comes first")
{
    const bool vote_first = GENERATE(false, true);
    const double told = GENERATE(5.0, 4.0, 0.0);
    const auto expected = told == 5 ? std::error_code{} : make_error_code(errc::mismatch);
    scene s(all_full(4), {2, 2});
    if (!vote_first) CHECK_FALSE(s.take(2, told));
    CHECK_FALSE(s.note(2, 3));
    CHECK_FALSE(s.note(3, 2));
    if (vote_first)
        CHECK(s.take(2, told) == expected);
    else
        CHECK(s.check_block(2, 1) == expected);
}

TEST_CASE("a sum may weigh what another order of adding does not give")
{
    // ((2^52 + 0.5) + (0.5 + 0.5)) is 2^52 + 1, and one after the other 2^52.
    scene s(all_full(8), {2, 2, 2});
    CHECK_FALSE(s.take(4, 0x1p52 + 1));
    CHECK_FALSE(s.note(4, 0x1p52));
    for (const int peer : {5, 6, 7}) CHECK_FALSE(s.note(peer, 0.5));
    CHECK_FALSE(s.check_block(4, 2));
}

TEST_CASE("a vote about a contribution that has not come is not contradicted by it yet")
{
    scene s(all_full(4), {2, 2});
    CHECK_FALSE(s.note(2, 3));
    CHECK_FALSE(s.note(3, 2));
    CHECK_FALSE(s.check_block(2, 1));
}

TEST_CASE("a peer that has reduced nothing names no weights")
{
    scene s(all_full(2), {}, 1);
    CHECK_FALSE(s.take(1, 2));
    CHECK(s.weights.reduced_by(0) == 0);
    s.weights.set_reduced();
    CHECK(s.weights.reduced_by(0) != 0);
}

TEST_CASE("all who were told the same weights name the same digest when they close")
{
    scene here(all_full(4), {2, 2}, 1, false, 0), there(all_full(4), {2, 2}, 2, false, 1);
    scene other(all_full(4), {2, 2}, 2, false, 1);
    CHECK_FALSE(here.take(1, 2));
    CHECK_FALSE(there.take(0, 1));
    CHECK_FALSE(other.take(0, 1.5));
    for (auto* s : {&here, &there, &other}) s->weights.set_reduced();
    CHECK(here.weights.reduced_by(0) == there.weights.reduced_by(0));
    CHECK(here.weights.reduced_by(0) != other.weights.reduced_by(0));
    CHECK(here.weights.close(0) == there.weights.reduced_by(0));

    CHECK_FALSE(here.take(2, 7));
    CHECK_FALSE(there.take(3, 7));
    CHECK_FALSE(here.note(2, 3));
    CHECK_FALSE(here.note(3, 4));
    CHECK(here.weights.reduced_by(1) == there.weights.reduced_by(1));
    CHECK(here.weights.close(1) == there.weights.reduced_by(1));
}

TEST_CASE("who has received no contribution learns from votes by which weights others reduced")
{
    scene client({role::full, role::full, role::client}, {}, 3, false, 2);
    scene owner({role::full, role::full, role::client}, {}, 1, false, 0);
    CHECK_FALSE(owner.take(1, 2));
    CHECK_FALSE(owner.take(2, 3));
    owner.weights.set_reduced();
    CHECK_FALSE(client.note(0, 1));
    CHECK_FALSE(client.note(1, 2));
    CHECK(client.weights.close(0) == owner.weights.reduced_by(0));
}
