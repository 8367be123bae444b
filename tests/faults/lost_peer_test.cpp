// Calls that go on without a peer that is lost while they run, over every transport.

#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/shrink.hpp>
#include <papilio/op/sum.hpp>

#include "support/clusters.hpp"
#include "support/hybrid_cluster.hpp"
#include "support/shm_cluster.hpp"
#include "support/tcp_cluster.hpp"

#include <catch2/catch.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

constexpr int lost_rank = 3;
constexpr std::size_t elements_each = 20'000;

struct own_end {
    std::vector<float> in, out;
    std::vector<int> group;
    std::optional<papilio::report> done;
    std::string why;
};

papilio::task<> make_call(own_end& to, papilio::task<papilio::report> call)
{
    try {
        to.done = co_await std::move(call);
    } catch (const std::system_error& failure) {
        to.why = failure.what();
    }
}

/// Four peers, or more, make a call; the process of peer 3 dies after so many events, of 0 before
/// it begins. `begin(net, end)` is the call.
template <class Cluster, class Begin>
std::vector<own_end> lose_one(int events, const Begin& begin, int peers = 4)
{
    Cluster cluster(peers);
    std::vector<own_end> ends(static_cast<std::size_t>(peers));
    std::vector<std::optional<papilio::task<>>> work;
    for (int rank = 0; rank < peers; ++rank) {
        auto& end = ends[static_cast<std::size_t>(rank)];
        end.in.assign(elements_each, static_cast<float>(1 << rank));
        end.out.assign(4 * elements_each, -1.f);
        work.emplace_back(make_call(end, begin(cluster.peer(rank), end)));
        if (rank != lost_rank || events > 0) work.back()->start(cluster.loop());
    }
    for (int i = 0; i < events && !work[lost_rank]->finished(); ++i) cluster.loop().run_one();
    work[lost_rank].reset();
    cluster.lose(lost_rank);
    for (auto& one : work)
        while (one && !one->finished()) REQUIRE(cluster.loop().run_one());
    return ends;
}

/// Those who are left have all elements from their contributors, and know of the one that is lost,
/// unless it has gone after the call.
template <class Value>
void check_left(const std::vector<own_end>& ends, const Value& value)
{
    for (std::size_t rank = 0; rank < ends.size(); ++rank) {
        if (rank == lost_rank) continue;
        const auto& end = ends[rank];
        INFO("peer " << rank << ": " << end.why);
        REQUIRE(end.done);
        CHECK(end.done->made_of == ends[0].done->made_of);
        if (end.done->view > 0) REQUIRE(end.done->left.size() == 1);
        if (end.done->view > 0) CHECK(end.done->left[0].rank == lost_rank);
        std::size_t wrong = 0;
        for (const auto& made : end.done->made_of)
            for (std::size_t i = 0; i < made.range.size; ++i)
                wrong += end.out[made.range.begin + i] != value(made);
        CHECK(wrong == 0);
    }
}

template <class Net>
papilio::task<papilio::report> shrink_and_add_up(Net& net, own_end& end)
{
    auto shrinking = papilio::shrink(net, 9);
    auto group = co_await std::move(shrinking);
    for (int peer = 0; peer < group.size(); ++peer) end.group.push_back(group.member(peer));
    end.in.resize(1000);
    end.out.resize(1000);
    auto adding = papilio::all_reduce(group, end.in, end.out, papilio::sum{}, papilio::identity{},
                                      {.salvage = true});
    co_return co_await std::move(adding);
}

float sum_of(const papilio::contributions& made)
{
    float sum = 0;
    for (const auto& c : made.from) sum += static_cast<float>(1 << c.rank);
    return sum;
}

constexpr int moments[] = {0, 5, 20, 60, 150, 300};

constexpr papilio::role with_observer[] = {papilio::role::full, papilio::role::observer,
                                           papilio::role::full, papilio::role::full,
                                           papilio::role::full};

}  // namespace

TEMPLATE_TEST_CASE("an all_gather goes on without a peer that dies, over every transport", "",
                   papilio::test::sim_cluster, papilio::test::inproc_cluster,
                   papilio::test::tcp_cluster, papilio::test::shm_cluster,
                   papilio::test::hybrid_cluster)
{
    for (const int events : moments) {
        INFO("after " << events << " events");
        const auto ends = lose_one<TestType>(events, [](auto& net, own_end& end) {
            return papilio::all_gather(net, end.in, end.out,
                                       {.salvage = true, .chunk_bytes = 4096});
        });
        check_left(ends, sum_of);
        const auto parts = ends[0].done->made_of.size();
        CHECK((parts == 4 || parts == 3));
    }
}

TEMPLATE_TEST_CASE("an observer has the result of those who go on, over every transport", "",
                   papilio::test::sim_cluster, papilio::test::inproc_cluster,
                   papilio::test::tcp_cluster, papilio::test::shm_cluster,
                   papilio::test::hybrid_cluster)
{
    for (const int events : moments) {
        INFO("after " << events << " events");
        const auto call = [](auto& net, own_end& end) {
            end.out.resize(end.in.size());
            return papilio::all_reduce(
                net, end.in, end.out, papilio::sum{}, papilio::identity{},
                {.salvage = true, .roles = std::span(with_observer), .chunk_bytes = 4096});
        };
        const auto ends = lose_one<TestType>(events, call, 5);
        check_left(ends, sum_of);
        CHECK(ends[1].out == ends[0].out);
        CHECK(ends[0].done->unserved_observers.empty());
    }
}

TEMPLATE_TEST_CASE(
    "all who shrink a group hold the same one, and add up in it, over every transport", "",
    papilio::test::sim_cluster, papilio::test::inproc_cluster, papilio::test::tcp_cluster,
    papilio::test::shm_cluster, papilio::test::hybrid_cluster)
{
    for (const int events : moments) {
        INFO("after " << events << " events");
        const auto ends = lose_one<TestType>(
            events, [](auto& net, own_end& end) { return shrink_and_add_up(net, end); });
        for (const std::size_t rank : {0, 1, 2}) {
            const auto& end = ends[rank];
            INFO("peer " << rank << ": " << end.why);
            REQUIRE(end.done);
            CHECK(end.done->call == 1);
            CHECK(end.group == ends[0].group);
            CHECK(end.group.size() >= 3);
            CHECK((end.out[0] == 7.f || end.out[0] == 15.f));
        }
        if (events == 0) CHECK(ends[0].group == std::vector<int>{0, 1, 2});
    }
}
