#include <papilio/collective/all_reduce.hpp>

#include <papilio/async/offload.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/codec.hpp>
#include <papilio/op.hpp>
#include <papilio/plan/balance.hpp>
#include <papilio/plan/partition.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/subset.hpp>
#include <papilio/transport/tcp.hpp>
#include <papilio/wire/descriptor.hpp>
#include <papilio/wire/vote.hpp>

#include <support/clusters.hpp>
#include <support/reference.hpp>
#include <support/sanitized.hpp>
#include <support/tcp_cluster.hpp>
#include <support/values.hpp>

#include <catch2/catch.hpp>

#include <map>
#include <tuple>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::at;
using pa::test::inproc_cluster;
using pa::test::noise;
using pa::test::reduced;
using pa::test::same_bits;
using pa::test::sanitized;
using pa::test::sim_cluster;
using pa::test::tcp_cluster;
using pa::test::vectors;

namespace {

template <class Naive, class Op, class Codec, class Cluster>
void agrees_with_reference(Cluster& cluster, Op op, Codec codec, std::size_t count, bool uneven)
{
    const int peers = cluster.size();
    std::vector<int> shares;
    for (int rank = 0; rank < peers; ++rank) shares.push_back(uneven ? rank * 7 % 5 : 1);
    const std::vector<double> as_double(shares.begin(), shares.end());
    const auto in = noise(peers, count);
    const auto expected = reference::all_reduce<Naive>(in, shares, std::is_same_v<Op, pa::mean>);
    const auto out = reduced(cluster, in, op, codec, {.shares = as_double});
    CAPTURE(Cluster::name, peers, count, uneven);
    for (const auto& mine : out) REQUIRE(same_bits(mine, expected));
}

template <class Cluster>
void every_codec_agrees(int peers, std::size_t count)
{
    Cluster cluster(peers);
    for (const bool uneven : {false, true}) {
        agrees_with_reference<reference::no_codec>(cluster, pa::sum{}, pa::identity{}, count,
                                                   uneven);
        agrees_with_reference<reference::half>(cluster, pa::mean{}, pa::as_f16{}, count, uneven);
        agrees_with_reference<reference::brain>(cluster, pa::sum{}, pa::as_bf16{}, count, uneven);
        agrees_with_reference<reference::blocks_of_int8>(cluster, pa::mean{}, pa::int8b{}, count,
                                                         uneven);
    }
}

}  // namespace

TEMPLATE_TEST_CASE("every peer ends with the bits of a reference computed in rank order", "",
                   sim_cluster, inproc_cluster, tcp_cluster)
{
    for (const int peers : {2, 3, 4, 5, 6, 7, 8, 9, 16}) {
        std::vector<std::size_t> counts{0, 1, at(peers) - 1, 1000};
        // A million for all of them would take minutes, and be nothing new.
        if (peers == 3 || (peers == 8 && !sanitized))
            counts.push_back(1'000'003);
        else if (!sanitized)
            counts.push_back(100'003);
        for (const std::size_t count : counts) every_codec_agrees<TestType>(peers, count);
    }
}

TEST_CASE("all peers end with the reference's bits under int4b, too")
{
    sim_cluster cluster(5);
    agrees_with_reference<reference::blocks_of_codes<32, 7>>(cluster, pa::mean{}, pa::int4b<32>{},
                                                             100'003, true);
    agrees_with_reference<reference::blocks_of_codes<128, 7>>(cluster, pa::sum{}, pa::int4b<128>{},
                                                              100'003, false);
}

TEST_CASE("a peer alone gets what its own data becomes")
{
    sim_cluster alone(1);
    const auto in = noise(1, 1000);
    CHECK(same_bits(reduced(alone, in, pa::mean{}, pa::identity{}, {})[0], in[0]));
    CHECK(same_bits(reduced(alone, in, pa::mean{}, pa::int8b{}, {})[0],
                    reference::all_reduce<reference::blocks_of_int8>(in, {1}, true)));
}

TEST_CASE("neither chunk size, nor chunks in flight, nor threads, nor arrival change a bit")
{
    const auto in = noise(5, 40'000);
    const auto with = [&](pa::call_options options, std::uint64_t seed) {
        sim_cluster cluster(5, {.seed = seed, .jitter = 30ms});
        return reduced(cluster, in, pa::mean{}, pa::int8b{}, options)[0];
    };
    const auto usual = with({}, 1);
    CHECK(same_bits(with({.chunk_bytes = 1}, 2), usual));
    CHECK(same_bits(with({.chunk_bytes = 5000, .in_flight = 1}, 3), usual));
    CHECK(same_bits(with({.chunk_bytes = 1 << 20, .in_flight = 7}, 4), usual));

    pa::thread_pool pool(3);
    tcp_cluster cluster(5);
    const auto threaded = reduced(cluster, in, pa::mean{}, pa::int8b{},
                                  {.chunk_bytes = 5000, .in_flight = 3, .pool = &pool});
    for (const auto& mine : threaded) CHECK(same_bits(mine, usual));
}

TEST_CASE("the result may take the place of the data")
{
    for (const int peers : {1, 2, 5}) {
        sim_cluster cluster(peers);
        auto data = noise(peers, 10'000);
        const auto expected =
            reference::all_reduce<reference::no_codec>(data, std::vector(at(peers), 1), false);
        cluster.run([&](auto& net) -> pa::task<> {
            co_await pa::all_reduce_in_place(net, data[at(net.rank())]);
        });
        for (const auto& mine : data) CHECK(same_bits(mine, expected));
    }
}

// The engine is compiled anew for each type, which sanitizers make slow; they see one of a kind.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
using element_types = std::tuple<double, pa::f16, std::int16_t>;
#else
using element_types =
    std::tuple<float, double, pa::f16, pa::bf16, std::int8_t, std::int16_t, std::int32_t,
               std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>;
#endif

TEMPLATE_LIST_TEST_CASE("every element type is summed", "", element_types)
{
    sim_cluster cluster(3);
    std::vector<std::vector<TestType>> data;
    for (int rank = 0; rank < 3; ++rank)
        data.emplace_back(777, static_cast<TestType>(static_cast<float>(rank + 1)));
    cluster.run([&](auto& net) -> pa::task<> {
        co_await pa::all_reduce_in_place(net, data[at(net.rank())], pa::sum{});
    });
    for (const auto& mine : data)
        for (const auto x : mine) REQUIRE(static_cast<float>(x) == 6.f);
}

TEMPLATE_TEST_CASE("16-bit floats and doubles pass a lossy codec", "", double, pa::f16, pa::bf16)
{
    sim_cluster cluster(4);
    std::vector<std::vector<TestType>> data;
    for (int rank = 0; rank < 4; ++rank)
        data.emplace_back(1000, static_cast<TestType>(static_cast<float>(rank)));
    cluster.run([&](auto& net) -> pa::task<> {
        co_await pa::all_reduce_in_place(net, data[at(net.rank())], pa::mean{}, pa::int8b{});
    });
    for (const auto& mine : data) {
        CHECK(std::memcmp(mine.data(), data[0].data(), mine.size() * sizeof(TestType)) == 0);
        for (const auto x : mine) REQUIRE(static_cast<float>(x) == Approx(1.5).epsilon(0.02));
    }
}

TEST_CASE("a weighted mean is normalised by the weights that the report names")
{
    sim_cluster cluster(3);
    vectors data{{1, 10}, {2, 20}, {3, 30}};
    std::vector<pa::report> reports(3);
    cluster.run([&](auto& net) -> pa::task<> {
        const auto rank = at(net.rank());
        const pa::call_options options{.weight = static_cast<double>(rank + 1)};
        reports[rank] = co_await pa::all_reduce_in_place(net, data[rank], pa::weighted_mean{},
                                                         pa::identity{}, options);
    });
    for (const auto& mine : data) CHECK(mine == std::vector<float>{14.f / 6, 140.f / 6});
    const std::vector<pa::contributor> everybody{{0, 1}, {1, 2}, {2, 3}};
    for (const auto& r : reports) {
        REQUIRE(r.made_of.size() == 1);
        CHECK(r.made_of[0].range == pa::part{0, 2});
        CHECK(r.made_of[0].from == everybody);
    }
}

TEST_CASE("clients own nothing, auxiliaries add nothing, and observers only receive")
{
    const bool receive = GENERATE(false, true);  // auxiliaries
    sim_cluster cluster(5, {.jitter = 5ms});
    const std::vector<pa::role> roles{pa::role::full, pa::role::client, pa::role::auxiliary,
                                      pa::role::observer, pa::role::full};
    vectors in = noise(5, 50'000);
    in[3].clear();  // an observer need not bring a buffer
    vectors out(5, std::vector<float>(50'000));
    std::vector<pa::report> reports(5);
    cluster.run([&](auto& net) -> pa::task<> {
        const auto rank = at(net.rank());
        const pa::call_options options{
            .roles = roles, .auxiliaries_receive = receive, .chunk_bytes = 4096, .in_flight = 3};
        reports[rank] =
            co_await pa::all_reduce(net, in[rank], out[rank], pa::mean{}, pa::int8b{}, options);
    });
    const vectors contributors{in[0], in[1], in[4]};
    const auto expected = [&] {
        auto versions = contributors;
        std::vector<float> result(50'000);
        std::size_t begin = 0;
        for (const auto size : reference::part_sizes(50'000, {1, 0, 1, 0, 1})) {
            for (auto& v : versions) reference::blocks_of_int8::round_trip(v.data() + begin, size);
            for (auto i = begin; i < begin + size; ++i)
                result[i] = (versions[0][i] + versions[1][i] + versions[2][i]) / 3.f;
            reference::blocks_of_int8::round_trip(result.data() + begin, size);
            begin += size;
        }
        return result;
    }();
    if (!receive) {
        // The auxiliary owns the second of three parts, and has not been sent the others.
        const auto own = pa::partition(50'000, 3)[1];
        auto part_of_it = std::vector<float>(50'000);
        std::copy_n(expected.begin() + static_cast<std::ptrdiff_t>(own.begin), own.size,
                    part_of_it.begin() + static_cast<std::ptrdiff_t>(own.begin));
        CHECK(same_bits(out[2], part_of_it));
        CHECK(reports[2].peers[0].sent > reports[2].peers[3].sent / 2);
        CHECK(reports[0].peers[2].sent < reports[0].peers[4].sent * 2 / 3);
        out[2] = expected;
    }
    for (const auto& mine : out) CHECK(same_bits(mine, expected));
    for (const auto& r : reports) {
        CHECK(r.made_of[0].from == std::vector<pa::contributor>{{0, 1}, {1, 1}, {4, 1}});
        CHECK(r.unserved_observers.empty());
    }
    CHECK(reports[1].peers[3].sent == pa::wire::vote::encoded_size);  // a client serves nobody
}

TEST_CASE("an auxiliary on a slow line holds nobody up, as balanced shares have it")
{
    const std::vector<pa::role> roles{pa::role::full, pa::role::full, pa::role::auxiliary};
    const std::vector<pa::access_rate> rates{{10e6, 10e6}, {10e6, 10e6}, {1e6, 1e6}};
    const auto shares = pa::balanced_shares(rates, roles);
    std::vector<pa::sim::access> lines;
    for (const auto& r : rates) lines.push_back({r.up, r.down});
    sim_cluster cluster(3, {.latency = 1ms, .each = lines});
    const std::size_t count = 500'000;
    vectors data(3, std::vector<float>(count, 1));
    data[2].assign(count, 5);
    cluster.run([&](auto& net) -> pa::task<> {
        co_await pa::all_reduce_in_place(net, data[at(net.rank())],
                                         {.roles = roles, .shares = shares});
    });
    CHECK(data[0] == std::vector<float>(count, 2));
    const auto own = pa::partition(count, shares)[2];
    for (std::size_t i = 0; i < count; i += 999)
        CHECK(data[2][i] == (i >= own.begin && i < own.end() ? 2 : 5));  // the rest is as it was
    const auto took = std::chrono::duration<double>(cluster.world().now().time_since_epoch());
    const double expected = pa::direct_seconds_per_byte(rates, roles, shares) * count * 4;
    CHECK(took.count() < 1.25 * expected);
}

TEST_CASE("a call of the longest timeout ends when its peers have come")
{
    sim_cluster cluster(3, {.latency = 10ms});
    const auto begin = noise(3, 5000);
    auto data = begin;
    cluster.run([&](auto& net) -> pa::task<> {
        if (net.rank() == 2) {
            co_await pa::sleep_for(48h);
        }
        co_await pa::all_reduce_in_place(net, data[at(net.rank())],
                                         {.timeout = pa::duration::max()});
    });
    CHECK(data[0] == data[1]);
    CHECK(data[0] == data[2]);
    CHECK(data[0] != begin[0]);
}

TEST_CASE("an observer that does not come holds nobody up for long")
{
    sim_cluster cluster(4, {.latency = 10ms});
    const std::vector<pa::role> roles{pa::role::full, pa::role::full, pa::role::full,
                                      pa::role::observer};
    auto data = noise(4, 5000);
    std::vector<pa::report> reports(3);
    cluster.run([&](auto& net) -> pa::task<> {
        if (net.rank() == 3) co_return;
        reports[at(net.rank())] =
            co_await pa::all_reduce_in_place(net, data[at(net.rank())], pa::sum{}, pa::identity{},
                                             pa::call_options{.timeout = 60s, .roles = roles});
    });
    CHECK(cluster.world().now() < pa::time_point(2s));
    for (const auto& r : reports) CHECK(r.unserved_observers == std::vector<int>{3});
}

TEST_CASE("an observer that comes too late is told so long before its timeout")
{
    sim_cluster cluster(3, {.latency = 10ms});
    const std::vector<pa::role> roles{pa::role::full, pa::role::full, pa::role::observer};
    auto data = noise(3, 5000);
    std::error_code failure;
    int culprit = -1;
    cluster.run([&](auto& net) -> pa::task<> {
        if (net.rank() == 2) {
            co_await pa::sleep_for(5s);
        }
        try {
            co_await pa::all_reduce_in_place(net, data[at(net.rank())], pa::sum{}, pa::identity{},
                                             pa::call_options{.timeout = 60s, .roles = roles});
            CHECK(net.rank() != 2);
        } catch (const pa::call_error& why) {
            CHECK(net.rank() == 2);
            failure = why.code();
            culprit = why.culprit();
        }
    });
    CHECK(failure == pa::errc::timed_out);
    CHECK(culprit == 2);
    CHECK(cluster.world().now() < pa::time_point(9s));
}

TEST_CASE("an observer is served though it comes after a call that took no time")
{
    sim_cluster cluster(2, {.latency = 10us});
    const std::vector<pa::role> roles{pa::role::full, pa::role::observer};
    vectors data(2, std::vector<float>(5000, 1.5f));
    data[1].assign(5000, 0.f);
    cluster.run([&](auto& net) -> pa::task<> {
        if (net.rank() == 1) {
            co_await pa::sleep_for(500ms);
        }
        co_await pa::all_reduce_in_place(net, data[at(net.rank())], pa::sum{}, pa::identity{},
                                         pa::call_options{.timeout = 60s, .roles = roles});
    });
    CHECK(data[1] == data[0]);
}

TEST_CASE("an observer that does not come fails nobody, however long the call takes")
{
    // 4 MB a part over 1 MB/s: more than half of the timeout, so that the time that observers get
    // reaches beyond its end.
    sim_cluster cluster(3, {.latency = 10ms, .all = {1e6, 1e6}});
    const std::vector<pa::role> roles{pa::role::full, pa::role::full, pa::role::observer};
    auto data = noise(3, 1'700'000);
    std::vector<pa::report> reports(2);
    cluster.run([&](auto& net) -> pa::task<> {
        if (net.rank() == 2) co_return;
        reports[at(net.rank())] =
            co_await pa::all_reduce_in_place(net, data[at(net.rank())], pa::sum{}, pa::identity{},
                                             pa::call_options{.timeout = 10s, .roles = roles});
    });
    CHECK(cluster.world().now() < pa::time_point(10s));
    for (const auto& r : reports) {
        CHECK(r.unserved_observers == std::vector<int>{2});
        CHECK(r.finished < 8s);
    }
}

TEST_CASE("clients need not reach each other")
{
    const std::vector<pa::role> roles{pa::role::client, pa::role::full,     pa::role::client,
                                      pa::role::full,   pa::role::observer, pa::role::client};
    sim_cluster cluster(6, {.jitter = 5ms});
    for (const int from : {0, 2, 5})
        for (const int to : {0, 2, 5})
            if (from != to) cluster.world().cut(from, to);
    auto data = noise(6, 10'000);
    std::vector<pa::report> reports(6);
    cluster.run([&](auto& net) -> pa::task<> {
        const auto rank = at(net.rank());
        const pa::call_options options{
            .timeout = 20s, .weight = static_cast<double>(rank + 1), .roles = roles};
        reports[rank] = co_await pa::all_reduce_in_place(net, data[rank], pa::weighted_mean{},
                                                         pa::int8b{}, options);
    });
    CHECK(cluster.world().now() < pa::time_point(5s));
    const std::vector<pa::contributor> everybody{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {5, 6}};
    for (const auto& mine : data) CHECK(same_bits(mine, data[0]));
    for (const auto& r : reports) CHECK(r.made_of[0].from == everybody);
    CHECK(reports[0].peers[2] == pa::traffic{});
}

TEST_CASE("a client that fails fails the call for clients out of its reach, which name it")
{
    const std::vector<pa::role> roles{pa::role::client, pa::role::full, pa::role::full,
                                      pa::role::client};
    const bool dies = GENERATE(true, false);
    sim_cluster cluster(4, {.latency = 5ms});
    cluster.world().cut(0, 3);
    cluster.world().cut(3, 0);
    const auto data = noise(4, 100'000);
    auto mine = data;
    std::vector<std::pair<std::error_code, int>> failures(4);
    const auto program = [&](auto& net) -> pa::task<> {
        const auto rank = at(net.rank());
        if (rank == 3) {
            co_await pa::sleep_for(8ms);
            if (dies)
                cluster.world().kill(3);
            else
                cluster.world().silence(3);
            co_return;
        }
        try {
            co_await pa::all_reduce_in_place(net, mine[rank], pa::sum{}, pa::identity{},
                                             pa::call_options{.timeout = 10s, .roles = roles});
        } catch (const pa::call_error& why) {
            failures[rank] = {why.code(), why.culprit()};
        }
    };
    cluster.run(program);
    CHECK(cluster.world().now() <= pa::time_point(10s));
    for (std::size_t rank = 0; rank < 3; ++rank) {
        CHECK(failures[rank].first);
        CHECK(failures[rank].second == 3);
        CHECK(mine[rank] == data[rank]);
    }
}

TEST_CASE("a result that the codec cannot take is nobody's fault")
{
    inproc_cluster cluster(3);
    std::vector<std::vector<float>> data(3, std::vector<float>(1000, 3e38f));
    int failed = 0;
    cluster.run([&](auto& net) -> pa::task<> {
        try {
            co_await pa::all_reduce_in_place(net, data[at(net.rank())], pa::sum{}, pa::int8b{});
        } catch (const pa::call_error& why) {
            CHECK(why.code() == pa::errc::not_finite);
            CHECK(why.culprit() == -1);
            ++failed;
        }
    });
    CHECK(failed == 3);
}

TEST_CASE("calls that are dropped do not harm those that follow")
{
    sim_cluster cluster(3);
    vectors in = noise(3, 700'000), out(3, std::vector<float>(700'000));
    const auto sum = [&](auto& net) -> pa::task<> {
        co_await pa::all_reduce(net, in[at(net.rank())], out[at(net.rank())]);
    };
    for (int i = 0; i < 60; ++i) {
        cluster.run([&](auto& net) -> pa::task<> {
            const auto begin = cluster.loop().now();
            try {
                auto call = sum(net);
                co_await pa::timeout(std::move(call), begin + (net.rank() + 1) * 3ms);
            } catch (const std::system_error&) {
                // most are, at one time or another
            }
        });
    }
    cluster.run(sum);
    for (const auto& mine : out) CHECK(same_bits(mine, out[0]));
    CHECK(out[0][7] == in[0][7] + in[1][7] + in[2][7]);
}

TEST_CASE("a transport that does not number calls has its callers do it")
{
    struct plain {
        int rank() const { return 0; }
        int size() const { return 1; }
        pa::task<> send(int, pa::tag, pa::bytes) { co_return; }
        pa::task<std::size_t> recv(int, pa::tag, pa::mutable_bytes) { co_return 0; }
    } net;
    pa::thread_loop loop;
    std::vector<float> data(10, 1.f);
    const auto call = [&](std::uint32_t number) -> pa::task<> {
        co_await pa::all_reduce_in_place(net, data, pa::sum{}, pa::identity{},
                                         pa::call_options{.call = number});
    };
    CHECK_THROWS_WITH(pa::sync_wait(loop, call(0)), Catch::Contains("call_options::call"));
    CHECK_NOTHROW(pa::sync_wait(loop, call(1)));
}

TEST_CASE("little data takes two latencies, more takes three, and the bits are the same")
{
    const auto took = [](std::size_t count, std::size_t chunk_bytes, vectors& out) {
        sim_cluster cluster(4, {.latency = 100ms});
        out = reduced(cluster, noise(4, count), pa::mean{}, pa::int8b{},
                      {.chunk_bytes = chunk_bytes});
        return cluster.world().now();
    };
    vectors one, other;
    CHECK(took(1000, 0, one) < pa::time_point(220ms));
    CHECK(took(1000, 4096, other) > pa::time_point(300ms));
    CHECK(took(1000, 4096, other) < pa::time_point(320ms));
    CHECK(one == other);
}

TEST_CASE("a report counts what was sent to and received from each peer")
{
    sim_cluster cluster(4);
    const auto in = noise(4, 4000);
    vectors out(4, std::vector<float>(4000));
    std::vector<pa::report> reports(4);
    cluster.run([&](auto& net) -> pa::task<> {
        const auto rank = at(net.rank());
        reports[rank] = co_await pa::all_reduce(net, in[rank], out[rank]);
    });
    // My version of its part, the result of mine, a descriptor and a vote; and the same back.
    const auto each =
        1000 * 4 + 1000 * 4 + pa::wire::descriptor::encoded_size + pa::wire::vote::encoded_size;
    for (int rank = 0; rank < 4; ++rank) {
        for (int peer = 0; peer < 4; ++peer) {
            const auto expected = rank == peer ? 0 : each;
            CHECK(reports[at(rank)].peers[at(peer)] == pa::traffic{expected, expected});
        }
        CHECK(reports[at(rank)].bytes_sent() == 3 * each);
        CHECK(reports[at(rank)].reduced > pa::duration{});
        CHECK(reports[at(rank)].gathered >= reports[at(rank)].reduced);
        CHECK(reports[at(rank)].finished > reports[at(rank)].gathered);
        CHECK(reports[at(rank)].call == 1);
    }
}

TEMPLATE_TEST_CASE("several calls may be in flight at once", "", sim_cluster, tcp_cluster)
{
    TestType cluster(3);
    constexpr int calls = 5;
    std::vector<vectors> in, out;
    for (int c = 0; c < calls; ++c) {
        in.push_back(noise(3, 30'000 + static_cast<std::size_t>(c)));
        out.emplace_back(3, std::vector<float>(in.back()[0].size()));
    }
    cluster.run([&](auto& net) -> pa::task<> {
        std::vector<pa::task<>> work;
        const auto call = [&](int c) -> pa::task<> {
            const auto rank = at(net.rank());
            // Not all peers begin their calls in the same order.
            const auto mine = at((c + net.rank()) % calls);
            co_await pa::all_reduce(net, in[mine][rank], out[mine][rank], pa::sum{}, pa::identity{},
                                    pa::call_options{.call = static_cast<std::uint32_t>(mine) + 1});
        };
        for (int c = 0; c < calls; ++c) work.push_back(call(c));
        co_await pa::when_all(std::move(work));
    });
    for (int c = 0; c < calls; ++c) {
        const auto expected =
            reference::all_reduce<reference::no_codec>(in[at(c)], {1, 1, 1}, false);
        for (const auto& mine : out[at(c)]) CHECK(same_bits(mine, expected));
    }
}

TEST_CASE("two groups of one transport reduce at the same time")
{
    sim_cluster cluster(5);
    auto data = noise(5, 1000);
    const auto before = data;
    cluster.run([&](auto& net) -> pa::task<> {
        const bool odd = net.rank() % 2 == 1;
        pa::subset group(net, odd ? std::vector{3, 1} : std::vector{0, 2, 4}, odd ? 7 : 8);
        co_await pa::all_reduce_in_place(group, data[at(net.rank())]);
    });
    CHECK(same_bits(data[1], reference::all_reduce<reference::no_codec>({before[3], before[1]},
                                                                        {1, 1}, false)));
    CHECK(same_bits(data[1], data[3]));
    CHECK(same_bits(data[0], reference::all_reduce<reference::no_codec>(
                                 {before[0], before[2], before[4]}, {1, 1, 1}, false)));
    CHECK(same_bits(data[0], data[4]));
}

TEST_CASE("a call compiled for any transport gives the same bits")
{
    const auto in = noise(3, 1000);
    sim_cluster cluster(3);
    vectors out(3, std::vector<float>(1000));
    cluster.run([&](auto& net) -> pa::task<> {
        pa::any_transport any(net);
        co_await pa::all_reduce(any, in[at(net.rank())], out[at(net.rank())]);
    });
    const auto expected = reference::all_reduce<reference::no_codec>(in, {1, 1, 1}, false);
    for (const auto& mine : out) CHECK(same_bits(mine, expected));
}

TEST_CASE("a call takes the time that pencil and paper say")
{
    const pa::sim::access link{.up_bytes_per_second = 1e6, .down_bytes_per_second = 1e6};
    sim_cluster cluster(4, {.latency = 50ms, .all = link});
    auto data = noise(4, 1'000'000);
    cluster.run([&](auto& net) -> pa::task<> {
        co_await pa::all_reduce_in_place(net, data[at(net.rank())]);
    });
    // Each sends 2 x 3/4 of 4 MB at 1 MB/s, and nothing overlaps better than that; to it come
    // latencies, and the last chunk's way there and back.
    const auto elapsed = std::chrono::duration<double>(cluster.world().now().time_since_epoch());
    CHECK(elapsed.count() >= 6.0);
    CHECK(elapsed.count() < 6.0 * 1.15);
}

TEST_CASE("bad arguments are refused with a sentence")
{
    sim_cluster cluster(2);
    auto data = noise(2, 10);
    std::vector<float> shorter(9);
    const auto refused = [&](auto call, const char* why) {
        auto& net = cluster.peer(0);
        CHECK_THROWS_WITH(pa::sync_wait(cluster.loop(), call(net)), Catch::Contains(why));
    };
    const auto with = [&](pa::call_options o) {
        return [&, o](auto& net) {
            return pa::all_reduce_in_place(net, data[0], pa::sum{}, pa::identity{}, o);
        };
    };
    const std::vector<double> one_share{1.0}, bad_shares{1.0, -1.0};
    const std::vector<pa::role> nobody{pa::role::client, pa::role::client};
    refused([&](auto& net) { return pa::all_reduce(net, data[0], shorter); },
            "in has 10 elements and out 9");
    refused([&](auto& net) { return pa::all_reduce(net, data[0], data[0]); }, "overlap");
    refused(with({.weight = -1}), "call_options::weight is at least 0 and below 2^53: it is -1");
    refused(with({.shares = one_share}), "call_options::shares has 1 entries for a group of 2");
    refused(with({.shares = bad_shares}),
            "the share of peer 1 is at least 0, and finite: it is -1");
    refused(with({.roles = nobody}), "call_options::roles has at least 1 peer that reduces");
    refused(with({.timeout = {}}), "call_options::timeout is above 0: it is 0 ns");
    refused(with({.call = 1u << 20}), "call_options::call is at most 524,287: it is 1048576");
    const std::vector<std::size_t> sizes{5, 5};
    refused(with({.sizes = sizes}), "call_options::sizes is for reduce_scatter and all_gather");
}
