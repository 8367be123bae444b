// What calls choose without being asked where all peers share a host.

#include <papilio/collective/setup/one_host.hpp>

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/op.hpp>
#include <papilio/plan/stage_choice.hpp>
#include <papilio/transport/subset.hpp>

#include <support/clusters.hpp>
#include <support/reference.hpp>
#include <support/tasks.hpp>
#include <support/tcp_cluster.hpp>
#include <support/values.hpp>

#include <catch2/catch.hpp>

#include <optional>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::at;
using pa::test::inproc_cluster;
using pa::test::noise;
using pa::test::same_bits;
using pa::test::sim_cluster;
using pa::test::tcp_cluster;
using pa::test::vectors;

namespace {

using stages = std::vector<int>;

/// The stages of a call by peer 0's report; all peers have the same.
template <class Cluster, class Op, class Codec, class T = float>
stages stages_of(Cluster& cluster, std::size_t count, Op op, Codec codec,
                 pa::call_options options = {}, T = {})
{
    stages found;
    cluster.run([&](auto& net) -> pa::task<> {
        const std::vector<T> in(count, static_cast<T>(1.f));
        std::vector<T> out(count);
        const auto made = co_await pa::all_reduce(net, in, out, op, codec, options);
        if (net.rank() == 0) found = made.radix;
        if (found.size() > 1 && made.radix != found) throw std::logic_error("other stages");
    });
    return found;
}

/// A peer that never learns where the others are.
class unlinked {
public:
    explicit unlinked(pa::sim::transport& net) : net_(net) {}
    int rank() const { return net_.rank(); }
    int size() const { return net_.size(); }
    pa::task<> send(int peer, pa::tag t, pa::bytes m) { return net_.send(peer, t, m); }
    pa::task<std::size_t> recv(int peer, pa::tag t, pa::mutable_bytes into)
    {
        return net_.recv(peer, t, into);
    }
    pa::call_numbers& calls() { return net_.calls(); }
    bool post(int peer, pa::tag t, pa::bytes m) { return net_.post(peer, t, m); }
    void discard_call(pa::tag t) { net_.discard_call(t); }
    pa::task<bool> shares_host(int)
    {
        co_await never_.opened();
        co_return true;
    }

private:
    pa::sim::transport& net_;
    pa::gate never_;
};

}  // namespace

TEMPLATE_TEST_CASE("many peers of one host go through stages, with the reference's bits", "",
                   inproc_cluster, tcp_cluster)
{
    for (const int peers : {8, 12, 16}) {
        TestType cluster(peers);
        const std::size_t count = GENERATE(3000u, 16'384u);
        const auto chosen = pa::choose_stages(peers, count * sizeof(float)).radix;
        const auto in = noise(peers, count);
        const auto expected = reference::all_reduce<reference::no_codec>(
            in, std::vector<int>(at(peers), 1), false, chosen);
        cluster.run([&](auto& net) -> pa::task<> {
            std::vector<float> out(count);
            const auto made = co_await pa::all_reduce(net, in[at(net.rank())], out);
            if (made.radix != chosen || !same_bits(out, expected))
                throw std::logic_error("another result, or other stages");
        });
        CHECK(chosen.size() > 1);
    }
}

TEST_CASE("a call between hosts, among few, or whose caller says who meets whom, has one stage")
{
    constexpr std::size_t count = 16'384;
    sim_cluster here(16, {.one_host = true}), apart(16), few(6, {.one_host = true});
    const auto plain = [&](auto& cluster, pa::call_options o = {}) {
        return stages_of(cluster, count, pa::sum{}, pa::identity{}, o);
    };
    CHECK(plain(here).size() > 1);
    CHECK(plain(apart) == stages{16});
    CHECK(plain(few) == stages{6});
    const std::vector<int> one{16}, two{2, 8};
    CHECK(plain(here, {.radix = one}) == one);
    CHECK(plain(here, {.radix = two}) == two);
    const std::vector<double> shares(16, 1.0);
    CHECK(plain(here, {.shares = shares}) == stages{16});
    const std::vector<pa::role> roles(16, pa::role::full);
    CHECK(plain(here, {.roles = roles}) == stages{16});
}

TEST_CASE("only what rounds no more often in stages, and cannot fail there, goes through them")
{
    constexpr std::size_t count = 16'384;
    sim_cluster here(16, {.one_host = true});
    const stages one{16};
    CHECK(stages_of(here, count, pa::sum{}, pa::int8b{}) == one);
    CHECK(stages_of(here, count, pa::sum{}, pa::identity{}, {}, pa::f16{}) == one);
    CHECK(stages_of(here, count, pa::exact_mean{}, pa::identity{}) == one);
    CHECK(stages_of(here, count, pa::mean{}, pa::identity{}).size() > 1);
    CHECK(stages_of(here, count, pa::max{}, pa::identity{}).size() > 1);
    CHECK(stages_of(here, count, pa::sum{}, pa::identity{}, {}, std::int32_t{}).size() > 1);
}

TEST_CASE("where stages are chosen, a peer of weight 0 fails no mean, and does not count in it")
{
    constexpr std::size_t count = 16'384;
    sim_cluster here(16, {.one_host = true});
    const auto in = noise(16, count);
    vectors out(16, std::vector<float>(count));
    stages chosen;
    here.run([&](auto& net) -> pa::task<> {
        const auto rank = at(net.rank());
        const pa::call_options options{.weight = rank % 5 == 0 ? 0.0 : 3.0};
        const auto made =
            co_await pa::all_reduce(net, in[rank], out[rank], pa::mean{}, pa::identity{}, options);
        chosen = made.radix;
        CHECK(made.made_of[0].from.size() == 12);
    });
    CHECK(chosen.size() > 1);
    for (std::size_t i = 0; i < count; i += 101) {
        double sum = 0;
        for (std::size_t rank = 0; rank < 16; ++rank)
            if (rank % 5 != 0) sum += in[rank][i];
        REQUIRE(out[0][i] == Approx(sum / 12).margin(1e-5));
    }
    for (const auto& mine : out) CHECK(same_bits(mine, out[0]));
}

TEST_CASE("a subset of peers of one host goes through stages, and a barrier does, too")
{
    sim_cluster here(20, {.one_host = true});
    here.run([&](auto& net) -> pa::task<> {
        if (net.rank() >= 16) co_return;
        std::vector<int> members(16);
        for (int i = 0; i < 16; ++i) members[at(i)] = i;
        pa::subset group(net, members, 1);
        std::vector<float> data(16'384, 1.f);
        const auto made = co_await pa::all_reduce_in_place(group, data);
        CHECK(made.radix.size() > 1);
        CHECK(data[7] == 16.f);
        const auto met = co_await pa::barrier(group);
        CHECK(met.radix.size() > 1);
        const auto sent = co_await pa::broadcast(group, data, 3);
        CHECK(sent.radix == stages{16});
    });
}

TEST_CASE("a call that is dropped while it waits for links fails for those who have begun it")
{
    sim_cluster here(8, {.one_host = true});
    unlinked late(here.peer(7));
    std::vector<float> data(1000, 1.f);
    std::optional<pa::task<pa::report>> dropped(pa::all_reduce_in_place(late, data));
    dropped->start(here.loop());
    int failed = 0;
    const auto call = [&](auto& net) -> pa::task<> {
        std::vector<float> mine(1000, 1.f);
        try {
            co_await pa::all_reduce_in_place(net, mine);
        } catch (const pa::call_error& failure) {
            failed += failure.code() == pa::errc::peer_failed && failure.culprit() == 7;
        }
    };
    std::vector<pa::task<>> others;
    for (int rank = 0; rank < 7; ++rank) others.push_back(call(here.peer(rank)));
    const auto drop = [&]() -> pa::task<> {
        co_await pa::sleep_for(100ms);
        dropped.reset();
    };
    others.push_back(drop());
    pa::sync_wait(here.loop(), pa::test::all_of(std::move(others)));
    CHECK(failed == 7);
    CHECK(here.loop().now() < pa::time_point(1s));
}

TEST_CASE("a call waits for links for half of its time, and then goes on in one stage")
{
    sim_cluster here(8, {.one_host = true});
    unlinked late(here.peer(0));
    const auto known = [&](auto& net) {
        const pa::call_options options{.timeout = 4s};
        return pa::sync_wait(here.loop(), pa::detail::on_one_host(pa::any_transport(net), options));
    };
    CHECK_FALSE(known(late));
    CHECK(here.loop().now() == pa::time_point(2s));
    CHECK(known(here.peer(0)));
    CHECK(here.loop().now() == pa::time_point(2s));
}
