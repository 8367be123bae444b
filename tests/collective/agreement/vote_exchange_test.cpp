#include <papilio/collective/agreement/vote_exchange.hpp>

#include <papilio/async/timeout.hpp>
#include <papilio/collective/agreement/contribution_weights.hpp>
#include <papilio/collective/setup/call_plan.hpp>

#include <support/clusters.hpp>
#include <support/roles.hpp>

#include <catch2/catch.hpp>

using namespace papilio;
using namespace std::chrono_literals;
using papilio::detail::ballot;
using papilio::detail::call_plan;
using papilio::detail::call_status;
using papilio::detail::contribution_weights;
using papilio::detail::peer_io;
using papilio::detail::vote_exchange;
using test::sim_cluster;

namespace {

/// One peer of a call that has no data: it only votes.
struct member {
    template <class Net>
    member(Net& net, std::vector<role> roles, std::vector<int> radix)
        : plan{.stages = butterfly(net.size(), radix), .parts = {}, .roles = std::move(roles)},
          call{.call = 7, .peers = static_cast<std::uint16_t>(net.size()), .weight = 1},
          weights(call, plan, net.rank()),
          votes(weights, plan.roles, plan.stages, net.rank()),
          io(any_transport(net), call, plan.roles, plan.stages, status),
          exchange(io, votes, plan.stages)
    {
        status.result.peers.resize(plan.roles.size());
        for (int peer = 0; peer < io.size(); ++peer)
            if (io.meets(peer) && peer != io.me() && contributes(io.of(peer))) is_told(peer);
        weights.set_reduced();
    }

    /// Everybody weighs 1; a partner of a later stage brings the sum of its block.
    void is_told(int peer)
    {
        auto theirs = call;
        for (int k = 0; k < plan.stages.meeting(io.me(), peer); ++k)
            theirs.weight *= plan.stages.radix(k);
        weights.take(peer, wire::encode(theirs));
    }

    task<> receive_all()
    {
        std::vector<task<>> work;
        for (int k = 0; k < plan.stages.stages(); ++k) work.push_back(exchange.receive(k));
        co_await when_all(std::move(work));
    }

    task<> vote_yes() { co_await when_all(exchange.send_yes(), receive_all()); }

    call_plan plan;
    wire::descriptor call;
    call_status status{.limit = 60s};
    contribution_weights weights;
    ballot votes;
    peer_io io;
    vote_exchange exchange;
};

struct group {
    std::vector<role> roles;
    std::vector<int> radix;
};

group group_of(std::size_t n, std::vector<int> radix = {})
{
    return {test::all_full(n), std::move(radix)};
}

int size_of(const group& g)
{
    return static_cast<int>(g.roles.size());
}

}  // namespace

TEST_CASE("all agree when everybody has said yes, in one stage and in several")
{
    const auto g = GENERATE(group_of(2), group_of(5), group_of(6, {3, 2}), group_of(8, {2, 2, 2}));
    sim_cluster cluster(size_of(g));
    int agreed = 0;
    cluster.run([&](auto& net) -> task<> {
        member v(net, g.roles, g.radix);
        co_await v.vote_yes();
        agreed += v.exchange.all_agreed().is_open();
    });
    CHECK(agreed == size_of(g));
}

TEST_CASE("one peer's no fails the votes of all that meet it, and those can then refuse the others")
{
    const auto g = GENERATE(group_of(3), group_of(5), group_of(4, {2, 2}));
    sim_cluster cluster(size_of(g));
    int failed = 0, agreed = 0;
    cluster.run([&](auto& net) -> task<> {
        member v(net, g.roles, g.radix);
        if (net.rank() == 1) {
            const auto no = v.votes.no(2, errc::not_finite);
            co_await v.exchange.send_no(no);
            co_return;
        }
        std::optional<call_error> failure;
        try {
            co_await v.vote_yes();
        } catch (const call_error& error) {
            failure = error;
        }
        agreed += v.exchange.all_agreed().is_open();
        if (!failure) co_return;
        failed += failure->code() == errc::not_finite && failure->culprit() == 2;
        const auto no = v.votes.no(failure->culprit(), failure->code());
        co_await v.exchange.send_no(no);
    });
    CHECK(failed == size_of(g) - 1);
    CHECK(agreed == 0);
}

TEST_CASE("whoever has said yes knows the outcome again once a no has come")
{
    sim_cluster cluster(2);
    cluster.run([&](auto& net) -> task<> {
        const auto g = group_of(2);
        member v(net, g.roles, g.radix);
        CHECK_FALSE(v.exchange.outcome_unknown());
        if (net.rank() == 0) {
            co_await v.exchange.send_yes();
            CHECK(v.exchange.outcome_unknown());
            try {
                co_await v.receive_all();
                FAIL("a no is no yes");
            } catch (const call_error&) {
                CHECK_FALSE(v.exchange.outcome_unknown());
            }
        } else {
            const auto no = v.votes.no(0, errc::timed_out);
            co_await v.exchange.send_no(no);
            CHECK_FALSE(v.exchange.outcome_unknown());
        }
    });
}

TEST_CASE("whoever has had a yes is sent no other vote")
{
    sim_cluster cluster(4);
    const auto g = group_of(4, {2, 2});
    std::uint64_t one_vote = 0, said_yes = 0, said_no = 0;
    cluster.run([&](auto& net) -> task<> {
        if (net.rank() != 0) co_return;
        member v(net, g.roles, g.radix);
        // Peer 1 does not vote, so that there is no yes for peer 2, of the second stage.
        try {
            task<> yes = v.vote_yes();
            co_await papilio::timeout(std::move(yes), time_point(1s));
        } catch (const std::system_error&) {
            one_vote = v.status.result.peers[1].sent;
        }
        const auto no = v.votes.no(1, errc::timed_out);
        co_await v.exchange.send_no(no);
        said_yes = v.status.result.peers[1].sent;
        said_no = v.status.result.peers[2].sent;
    });
    CHECK(one_vote > 0);
    CHECK(said_yes == one_vote);
    CHECK(said_no > 0);
}

TEST_CASE("a yes leaves for a stage only when the stage before it has agreed")
{
    sim_cluster cluster(4);
    const auto g = group_of(4, {2, 2});
    std::uint64_t early = 0, late = 0;
    cluster.run([&](auto& net) -> task<> {
        if (net.rank() == 3) {
            co_await sleep_for(10s);
        }
        member v(net, g.roles, g.radix);
        if (net.rank() == 2) {  // meets 3 in stage 0, and 0 in stage 1
            const auto look = [](const member& self, std::uint64_t& sent) -> task<> {
                co_await sleep_for(5s);
                sent = self.status.result.peers[0].sent;
            };
            co_await when_all(v.vote_yes(), look(v, early));
            late = v.status.result.peers[0].sent;
            co_return;
        }
        co_await v.vote_yes();
    });
    CHECK(early == 0);
    CHECK(late > 0);
}

TEST_CASE("a reducer says yes when all clients have, who exchange no votes among themselves")
{
    const group g{{role::full, role::client, role::full, role::client}, {}};
    sim_cluster cluster(4);
    int agreed = 0;
    std::uint64_t between_clients = 0;
    cluster.run([&](auto& net) -> task<> {
        member v(net, g.roles, g.radix);
        if (net.rank() == 3) {
            co_await sleep_for(10s);
        }
        loop& on = co_await this_loop{};
        const auto begin = on.now();
        co_await v.vote_yes();
        agreed += v.exchange.all_agreed().is_open();
        if (net.rank() != 3) CHECK(on.now() - begin >= 10s);
        if (net.rank() == 1) between_clients = v.status.result.peers[3].sent;
    });
    CHECK(agreed == 4);
    CHECK(between_clients == 0);
}
