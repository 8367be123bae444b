#include <papilio/async/offload.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/topk.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/op/weighted_mean.hpp>

#include <support/clusters.hpp>
#include <support/tcp_cluster.hpp>
#include <support/values.hpp>

#include <catch2/catch.hpp>

#include <limits>
#include <utility>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;
using namespace papilio::test;

namespace {

/// What each peer of `cluster` has in place of its data.
template <class Cluster, class Op, class Codec>
vectors reduced_in_place(Cluster& cluster, vectors data, Op op, Codec codec,
                         pa::call_options options)
{
    cluster.run([&](auto& net) -> pa::task<> {
        co_await pa::all_reduce_in_place(net, data[at(net.rank())], op, codec, options);
    });
    return data;
}

template <class Op, class Codec>
void place_changes_no_bit(Op op, Codec codec)
{
    const std::vector<int> one{6}, two{3, 2}, three{2, 3};
    pa::thread_pool pool(2);
    for (const std::size_t count : {std::size_t{1}, std::size_t{500}, std::size_t{40'000}})
        for (const auto& radix : {one, two, three}) {
            CAPTURE(pa::name(Codec::id), count, radix.size(), radix[0]);
            const auto in = noise(6, count);
            pa::call_options options{.radix = radix, .chunk_bytes = count > 1000 ? 5000u : 0u};
            sim_cluster apart(6);
            const auto expected = reduced(apart, in, op, codec, options);
            for (const auto where : {pa::on_error::restored, pa::on_error::undefined}) {
                options.on_error = where;
                options.pool = nullptr;
                sim_cluster shaken(6, {.seed = count, .jitter = 20ms});
                CHECK(reduced_in_place(shaken, in, op, codec, options) == expected);
                options.pool = &pool;
                tcp_cluster threaded(6);
                CHECK(reduced_in_place(threaded, in, op, codec, options) == expected);
            }
        }
}

}  // namespace

TEST_CASE("in place, whatever is left of the data on errors, the result has the bits of one apart")
{
    place_changes_no_bit(pa::sum{}, pa::identity{});
    place_changes_no_bit(pa::mean{}, pa::int8b{});
    place_changes_no_bit(pa::sum{}, pa::as_f16{});
    place_changes_no_bit(pa::sum{}, pa::topk<64>{});
}

TEST_CASE("in place, too, a contribution of weight 0 is left out, and roles hold")
{
    const std::vector<pa::role> roles{pa::role::full, pa::role::client, pa::role::auxiliary,
                                      pa::role::observer, pa::role::full};
    const auto in = noise(5, 30'000);
    vectors results[2];
    for (const auto where : {pa::on_error::restored, pa::on_error::undefined}) {
        auto& data = results[static_cast<std::size_t>(where)];
        data = in;
        sim_cluster cluster(5, {.jitter = 5ms});
        cluster.run([&](auto& net) -> pa::task<> {
            const auto rank = at(net.rank());
            const double weight = net.rank() == 4 ? 0 : 1 + net.rank();
            co_await pa::all_reduce_in_place(
                net, data[rank], pa::weighted_mean{}, pa::identity{},
                pa::call_options{.weight = weight, .roles = roles, .on_error = where});
        });
    }
    CHECK(results[0] == results[1]);
    CHECK(results[0][0] == results[0][4]);
    CHECK(results[0][0] != in[0]);
}

TEST_CASE("a broadcast need not save what it overwrites")
{
    const auto in = noise(4, 30'000);
    auto data = in;
    sim_cluster cluster(4);
    cluster.run([&](auto& net) -> pa::task<> {
        co_await pa::broadcast(net, data[at(net.rank())], 2,
                               pa::call_options{.on_error = pa::on_error::undefined});
    });
    for (const auto& mine : data) CHECK(same_bits(mine, in[2]));
}

TEST_CASE("a call in place that fails has its data put back, unless it may be left undefined")
{
    for (const auto where : {pa::on_error::restored, pa::on_error::undefined}) {
        const auto in = noise(3, 300'000);
        auto data = in;
        sim_cluster cluster(3, {.latency = 10ms, .all = {1e6, 1e6}});
        int failed = 0;
        const auto call = [&](auto& net) -> pa::task<> {
            try {
                co_await pa::all_reduce_in_place(net, data[at(net.rank())], {.on_error = where});
            } catch (const pa::call_error&) {
                ++failed;
            }
        };
        const auto kill = [&](int peer) -> pa::task<> {
            co_await pa::sleep_for(700ms);  // about half has moved
            cluster.world().kill(peer);
        };
        cluster.run([&](auto& net) -> pa::task<> {
            std::vector<pa::task<>> work;
            work.push_back(call(net));
            if (net.rank() == 2) work.push_back(kill(2));
            co_await pa::when_all(std::move(work));
        });
        CHECK(failed == 3);
        const bool untouched = same_bits(data[0], in[0]) && same_bits(data[1], in[1]);
        CHECK(untouched == (where == pa::on_error::restored));
    }
}

TEST_CASE("a call in place whose task is dropped has its data put back")
{
    const std::vector<int> radix{2, 2};
    for (const auto after : {600ms, 900ms, 1200ms, 1500ms})
        for (const auto where : {pa::on_error::restored, pa::on_error::undefined}) {
            const auto in = noise(4, 300'000);
            auto data = in;
            sim_cluster cluster(4, {.latency = 10ms, .all = {1e6, 1e6}});
            cluster.run([&](auto& net) -> pa::task<> {
                pa::task<pa::report> call = pa::all_reduce_in_place(
                    net, data[at(net.rank())], {.radix = radix, .on_error = where});
                try {
                    co_await pa::timeout(std::move(call), pa::time_point(after));
                } catch (const std::system_error&) {
                    // As planned.
                }
            });
            CAPTURE(after.count(), static_cast<int>(where));
            bool same = true;
            for (std::size_t rank = 0; rank < 4; ++rank)
                same = same && same_bits(data[rank], in[rank]);
            CHECK(same == (where == pa::on_error::restored));
        }
}

TEST_CASE("a call in place that a codec ends half-way has its data put back, with a pool, too")
{
    pa::thread_pool pool(2);
    auto in = noise(3, 200'000);
    in[1][190'000] = std::numeric_limits<float>::quiet_NaN();
    auto data = in;
    tcp_cluster cluster(3);
    int failed = 0;
    cluster.run([&](auto& net) -> pa::task<> {
        try {
            co_await pa::all_reduce_in_place(
                net, data[at(net.rank())], pa::mean{}, pa::int8b{},
                pa::call_options{.chunk_bytes = 20'000, .pool = &pool});
        } catch (const pa::call_error& why) {
            CHECK(why.code() == pa::errc::not_finite);
            ++failed;
        }
    });
    CHECK(failed == 3);
    for (std::size_t rank = 0; rank < 3; ++rank) CHECK(same_bits(data[rank], in[rank]));
}

TEST_CASE("the memory for saved data is kept for the next call, and returned on request")
{
    constexpr std::size_t count = 3 << 20;
    sim_cluster cluster(2);
    const auto call = [&](std::size_t size, pa::on_error where) {
        reduced_in_place(cluster, vectors(2, std::vector<float>(size, 1.f)), pa::sum{},
                         pa::identity{}, {.on_error = where});
        return cluster.loop().memory().size();
    };
    CHECK(call(count, pa::on_error::undefined) == 0);
    const auto kept = call(count, pa::on_error::restored);
    CHECK(kept == (pa::detail::watches_addresses ? 0 : 2 * 4 * count));
    CHECK(call(count - 1000, pa::on_error::restored) == kept);
    cluster.loop().release_memory();
    CHECK(cluster.loop().memory().size() == 0);
}
