#include <papilio/collective/agreement/ballot.hpp>

#include <support/roles.hpp>
#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <limits>

using namespace papilio;
using papilio::detail::ballot;
using papilio::detail::call_plan;
using papilio::detail::contribution_weights;
using test::all_full;
using test::call_error_of;
using test::thrown_by;

namespace {

/// Peer `me` at the end of a call: it votes, and hears the others.
struct voter {
    explicit voter(int me, std::vector<role> roles, std::vector<int> radix = {}, double mine = 1,
                   std::uint32_t number = 7)
        : plan{.stages = butterfly(static_cast<int>(roles.size()), radix),
               .parts = {},
               .roles = std::move(roles)},
          call{.call = number,
               .peers = static_cast<std::uint16_t>(plan.roles.size()),
               .weight = mine},
          weights(call, plan, me),
          votes(weights, plan.roles, plan.stages, me)
    {
    }

    void is_told(int peer, double weight)
    {
        auto theirs = call;
        theirs.weight = weight;
        weights.take(peer, wire::encode(theirs));
    }

    std::error_code hears(int peer, bytes vote)
    {
        return thrown_by([&] { votes.take(peer, vote); });
    }

    std::error_code closes(int stage)
    {
        return thrown_by([&] { votes.close(stage); });
    }

    call_plan plan;
    wire::descriptor call;
    contribution_weights weights;
    ballot votes;
};

/// A yes of `weight` in the call of `v`, with the weights of others behind it.
std::vector<std::byte> yes(const voter& v, double weight, std::vector<double> behind = {},
                           std::uint64_t reduced_by = 0)
{
    const auto head = wire::encode(wire::vote{
        .yes = true, .call = wire::digest(v.call), .weights = reduced_by, .weight = weight});
    std::vector<std::byte> message(head.begin(), head.end());
    for (const double w : behind) {
        message.resize(message.size() + 8);
        store(message.data() + message.size() - 8, w);
    }
    return message;
}

/// The weights behind the head of a yes.
std::vector<double> behind(bytes vote)
{
    std::vector<double> weights;
    for (auto rest = vote.subspan(wire::vote::encoded_size); !rest.empty(); rest = rest.subspan(8))
        weights.push_back(load<double>(rest.data()));
    return weights;
}

wire::vote head_of(bytes vote)
{
    return wire::parse_vote(vote.first(wire::vote::encoded_size));
}

const std::vector<role> two_clients{role::full, role::client, role::full, role::client};

}  // namespace

TEST_CASE("peers that were told the same weights take each other's yes")
{
    voter a(0, all_full(2), {}, 1), b(1, all_full(2), {}, 2);
    a.is_told(1, 2);
    b.is_told(0, 1);
    a.weights.set_reduced();
    b.weights.set_reduced();
    CHECK_FALSE(a.hears(1, b.votes.yes_to(0)));
    CHECK_FALSE(b.hears(0, a.votes.yes_to(1)));
    CHECK_FALSE(a.closes(0));
    CHECK_FALSE(b.closes(0));
    CHECK_FALSE(a.votes.refused());
}

TEST_CASE("a yes names the call and the sender's weight and what it reduced by")
{
    voter v(0, all_full(2), {}, 2.5);
    v.is_told(1, 1);
    CHECK(head_of(v.votes.yes_to(1)).weights == 0);
    v.weights.set_reduced();
    const auto said = head_of(v.votes.yes_to(1));
    CHECK(said.yes);
    CHECK(said.call == wire::digest(v.call));
    CHECK(said.weight == 2.5);
    CHECK(said.weights == v.weights.reduced_by(0));
    CHECK(v.votes.yes_to(1).size() == wire::vote::encoded_size);
}

TEST_CASE("a yes about another call is refused, and nobody can succeed")
{
    voter here(0, all_full(2)), there(1, all_full(2), {}, 1, 8);
    CHECK(here.hears(1, there.votes.yes_to(0)) == errc::mismatch);
    CHECK(here.votes.refused());
}

TEST_CASE("a no about another call is refused as such, and its reason is not believed")
{
    voter here(0, all_full(2)), there(1, all_full(2), {}, 1, 8);
    CHECK(here.hears(1, there.votes.no(0, errc::not_finite)) == errc::mismatch);
    CHECK(here.votes.refused());
}

TEST_CASE("a no names the culprit and the reason, and who says so")
{
    voter here(0, all_full(4)), there(2, all_full(4));
    const auto no = there.votes.no(3, errc::disconnected);
    CHECK(no.size() == wire::vote::encoded_size);
    const auto error = call_error_of([&] { here.votes.take(2, no); });
    REQUIRE(error);
    CHECK(error->code() == errc::disconnected);
    CHECK(error->culprit() == 3);
    CHECK(error->reporter() == 2);
    CHECK(error->where() == phase::vote);
    CHECK(here.votes.refused());
}

TEST_CASE("a culprit that is no peer of the call is nobody")
{
    const int culprit =
        GENERATE(-1, -2, 4, std::numeric_limits<int>::max(), std::numeric_limits<int>::min());
    voter here(0, all_full(4)), there(2, all_full(4));
    const auto no = there.votes.no(culprit, errc::timed_out);
    const auto error = call_error_of([&] { here.votes.take(2, no); });
    REQUIRE(error);
    CHECK(error->culprit() == -1);
}

TEST_CASE("who does not know the outcome has not refused")
{
    voter here(0, all_full(3)), there(1, all_full(3));
    CHECK(here.hears(1, there.votes.no(2, errc::outcome_unknown)) == errc::outcome_unknown);
    CHECK_FALSE(here.votes.refused());
    CHECK(here.hears(2, there.votes.no(2, errc::silent)) == errc::silent);
    CHECK(here.votes.refused());
}

TEST_CASE("a reason that is not papilio's is told as a peer that failed")
{
    const voter v(0, all_full(2));
    const int none = static_cast<int>(errc::aborted) + 1;
    for (const std::error_code why :
         {std::make_error_code(std::errc::connection_reset), std::error_code(0, category()),
          std::error_code(none, category()), std::error_code(999, category()),
          std::error_code(static_cast<int>(errc::timed_out), std::generic_category())}) {
        const auto no = head_of(v.votes.no(1, why));
        CHECK_FALSE(no.yes);
        CHECK(no.why == errc::peer_failed);
    }
    CHECK(head_of(v.votes.no(1, errc::no_contribution)).why == errc::no_contribution);
}

TEST_CASE("what is shorter than a vote is none")
{
    voter v(0, all_full(2));
    const auto good = yes(v, 1);
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(v.hears(1, bytes(good).first(size)) == errc::bad_message);
    CHECK_FALSE(v.hears(1, good));
}

TEST_CASE("a yes with more weights behind it than it has to name is refused")
{
    voter v(0, all_full(2));
    auto odd = yes(v, 1);
    odd.push_back(std::byte{});
    CHECK(v.hears(1, odd) == errc::bad_message);
    CHECK(v.hears(1, yes(v, 1, {1})) == errc::bad_message);
}

TEST_CASE("a yes with fewer weights behind it than it has to name is refused")
{
    voter v(0, all_full(4), {2, 2});
    CHECK(v.votes.max_vote(1) == 48);
    CHECK(v.votes.max_vote(2) == 48 + 2 * 8);
    CHECK(v.hears(2, yes(v, 1)) == errc::bad_message);
    CHECK(v.hears(2, yes(v, 1, {1})) == errc::bad_message);
    CHECK(v.hears(2, bytes(yes(v, 1, {1, 1})).first(55)) == errc::bad_message);
    CHECK_FALSE(v.hears(2, yes(v, 1, {1, 1})));
}

TEST_CASE("a yes that names an invalid weight is refused, its own and those of others")
{
    for (const double weight : {-1.0, -0.0, std::numeric_limits<double>::quiet_NaN(), 0x1p53,
                                std::numeric_limits<double>::infinity()}) {
        voter v(0, all_full(4), {2, 2});
        CHECK(v.hears(1, yes(v, weight)) == errc::bad_message);
        CHECK(v.hears(2, yes(v, 1, {1, weight})) == errc::bad_message);
    }
}

TEST_CASE("a peer whose yes names another weight than its contribution is found out")
{
    voter v(0, all_full(2));
    v.is_told(1, 2);
    CHECK(v.hears(1, yes(v, 3)) == errc::mismatch);
    voter w(0, all_full(2));
    w.is_told(1, 2);
    CHECK_FALSE(w.hears(1, yes(w, 2)));
}

TEST_CASE("the weight in the vote of a peer that contributes nothing does not count")
{
    voter v(0, {role::full, role::auxiliary});
    CHECK_FALSE(v.hears(1, yes(v, 5)));
    CHECK(v.weights.of(1) == 0);
}

TEST_CASE("an owner that reduced by other weights is found out when votes are compared")
{
    voter here(0, all_full(3), {}, 1), owner(1, all_full(3), {}, 2), liar(2, all_full(3), {}, 4);
    here.is_told(1, 2);
    here.is_told(2, 4);
    owner.is_told(0, 1);
    owner.is_told(2, 3);  // the liar told it something else
    here.weights.set_reduced();
    owner.weights.set_reduced();
    CHECK_FALSE(here.hears(1, owner.votes.yes_to(0)));
    CHECK_FALSE(here.hears(2, liar.votes.yes_to(0)));
    const auto error = call_error_of([&] { here.votes.close(0); });
    REQUIRE(error);
    CHECK(error->code() == errc::mismatch);
    CHECK(error->culprit() == -1);  // the owner need not be to blame
    CHECK(error->detail() == "peer 1 reduced by other weights");
}

TEST_CASE("each stage compares its own weights")
{
    voter v(0, all_full(4), {2, 2});
    v.is_told(1, 1);
    v.is_told(2, 2);
    CHECK_FALSE(v.hears(1, yes(v, 1)));
    CHECK_FALSE(v.hears(2, yes(v, 1, {1, 1}, 12345)));
    CHECK_FALSE(v.closes(0));
    CHECK(v.closes(1) == errc::mismatch);
}

TEST_CASE("a yes of a later stage names the weights of its block in rank order")
{
    // Rank 5 of 3 x 2 x 2: its block of three is 3 and 4 and 5, and it meets rank 2 in stage 1.
    voter v(5, all_full(12), {3, 2, 2}, 5);
    v.is_told(3, 30);
    v.is_told(4, 40);
    CHECK(behind(v.votes.yes_to(3)).empty());
    CHECK(behind(v.votes.yes_to(2)) == std::vector<double>{30, 40, 5});

    voter other(2, all_full(12), {3, 2, 2}, 5);
    CHECK_FALSE(other.hears(5, v.votes.yes_to(2)));
    CHECK(other.weights.of(3) == 30);
    CHECK(other.weights.of(4) == 40);
    CHECK(other.weights.of(5) == 5);
}

TEST_CASE("a yes whose weights do not add up to that of the sum is refused")
{
    const bool right = GENERATE(true, false);
    voter v(0, all_full(4), {2, 2});
    v.is_told(2, 5);
    const auto vote = yes(v, 3, {3, right ? 2.0 : 2.5});
    CHECK(v.hears(2, vote) == (right ? std::error_code{} : make_error_code(errc::mismatch)));
}

TEST_CASE("weights in a yes that comes before the sum are compared with it, too")
{
    voter v(0, all_full(4), {2, 2});
    CHECK_FALSE(v.hears(2, yes(v, 3, {3, 2})));
    CHECK(thrown_by([&] { v.is_told(2, 0); }) == errc::mismatch);
    CHECK(thrown_by([&] { v.is_told(2, 100); }) == errc::mismatch);
    CHECK_FALSE(thrown_by([&] { v.is_told(2, 5); }));
}

TEST_CASE("a reducer among several clients waits for each of their votes")
{
    voter v(0, two_clients);
    CHECK(v.votes.relayed());
    CHECK(v.votes.relays(0));
    CHECK_FALSE(v.votes.relays(1));
    CHECK_FALSE(v.votes.heard_clients());
    CHECK_FALSE(v.hears(1, yes(v, 2)));
    CHECK_FALSE(v.votes.heard_clients());
    CHECK(v.hears(3, yes(v, 2, {1})) == errc::bad_message);
    CHECK_FALSE(v.votes.heard_clients());
    CHECK_FALSE(v.hears(2, yes(v, 1, {2, 2})));  // another reducer, which has heard them all
    CHECK_FALSE(v.votes.heard_clients());
    CHECK_FALSE(v.hears(3, yes(v, 2)));
    CHECK(v.votes.heard_clients());
}

TEST_CASE("a reducer passes on what clients weigh, and a client believes it")
{
    voter reducer(0, two_clients, {}, 1), client(1, two_clients, {}, 2);
    reducer.is_told(1, 2);
    reducer.is_told(3, 4);
    const auto vote = reducer.votes.yes_to(1);
    CHECK(behind(vote) == std::vector<double>{2, 4});
    CHECK(vote.size() == client.votes.max_vote(0));
    CHECK_FALSE(client.hears(0, vote));
    CHECK(client.weights.of(3) == 4);
}

TEST_CASE("a client refuses a vote that names another weight for itself")
{
    voter client(1, two_clients, {}, 2);
    CHECK(client.hears(0, yes(client, 1, {3, 4})) == errc::mismatch);
}

TEST_CASE("two reducers that pass on different weights of a client are found out")
{
    voter client(1, two_clients, {}, 2);
    CHECK_FALSE(client.hears(0, yes(client, 1, {2, 4})));
    CHECK(client.hears(2, yes(client, 1, {2, 5})) == errc::mismatch);
}

TEST_CASE("a single client is in everybody's reach, and nothing is passed on")
{
    voter v(0, {role::full, role::client, role::full});
    CHECK_FALSE(v.votes.relayed());
    CHECK_FALSE(v.votes.relays(0));
    CHECK(v.votes.max_vote(2) == wire::vote::encoded_size);
}

TEST_CASE("where there are no clients nobody waits for their votes")
{
    const voter v(0, all_full(3));
    CHECK(v.votes.heard_clients());
    CHECK_FALSE(v.votes.relayed());
}

TEST_CASE("voters for different results do not agree, and whoever is alone is named")
{
    voter v(0, all_full(4));
    v.votes.results().add(5);
    for (const int peer : {1, 2, 3}) v.is_told(peer, 1);
    const auto yes_about = [&](std::uint64_t result) {
        return wire::encode(
            wire::vote{.yes = true, .call = wire::digest(v.call), .weight = 1, .result = result});
    };
    CHECK(head_of(v.votes.yes_to(1)).result == 5);
    CHECK_FALSE(v.hears(1, yes_about(5)));
    CHECK_FALSE(v.hears(2, yes_about(0)));  // makes no digest
    CHECK_NOTHROW(v.votes.results().compare(0));
    CHECK_FALSE(v.votes.refused());
    CHECK_FALSE(v.hears(3, yes_about(6)));
    const auto error = call_error_of([&] { v.votes.results().compare(0); });
    REQUIRE(error);
    CHECK(error->code() == errc::corrupted);
    CHECK(error->culprit() == 3);
    CHECK(v.votes.refused());
}
