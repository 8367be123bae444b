#include <papilio/collective/engine/contribution_sender.hpp>

#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/reduce_scatter.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

using namespace papilio;
using namespace std::chrono_literals;
using test::sim_cluster;

namespace {

constexpr std::size_t slots = 3, columns = 20;

/// A transport that counts the messages of the kind `sent` on the way to each peer, which messages
/// of the kind `answer` acknowledge.
struct counting {
    sim::transport& net;
    message_kind sent, answer;
    std::map<int, std::size_t> under_way = {};
    std::size_t most = 0;

    int rank() const { return net.rank(); }
    int size() const { return net.size(); }
    task<> send(int peer, tag t, bytes message)
    {
        if (fields_of(t).kind == sent) most = std::max(most, ++under_way[peer]);
        co_await net.send(peer, t, message);
    }
    task<std::size_t> recv(int peer, tag t, mutable_bytes into)
    {
        const auto size = co_await net.recv(peer, t, into);
        if (fields_of(t).kind == answer) --under_way[peer];
        co_return size;
    }
};

/// The most that any peer had under way to another while `call(net, whole, part)` lasted.
template <class Call>
std::size_t most_under_way(message_kind sent, message_kind answer, const Call& call)
{
    sim_cluster cluster(3, {.latency = 50ms, .all = {1e9, 1e9}});
    std::size_t most = 0;
    cluster.run([&](auto& net) -> task<> {
        counting counted{net, sent, answer};
        std::vector<float> whole(3 * columns * 256, 1.f), part(columns * 256);
        co_await call(counted, whole, part);
        most = std::max(most, counted.most);
    });
    return most;
}

constexpr call_options options{.call = 1, .chunk_bytes = 1024, .in_flight = slots};

}  // namespace

TEST_CASE("no more columns are under way than there are slots")
{
    using enum message_kind;
    CHECK(most_under_way(contribution, result, [](auto& net, auto& whole, auto&) {
              return all_reduce_in_place(net, whole, sum{}, identity{}, options);
          }) == slots);
    CHECK(most_under_way(contribution, result, [](auto& net, auto& whole, auto& part) {
              return reduce_scatter(net, whole, part, sum{}, identity{}, options);
          }) == slots);
    CHECK(most_under_way(result, contribution, [](auto& net, auto& whole, auto& part) {
              return all_gather(net, part, whole, identity{}, options);
          }) == slots);
}
