// The collectives through several stages of a butterfly.

#include <papilio/async/offload.hpp>
#include <papilio/codec.hpp>
#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/op.hpp>
#include <papilio/transport/tcp.hpp>

#include <support/clusters.hpp>
#include <support/reference.hpp>
#include <support/tcp_cluster.hpp>
#include <support/values.hpp>

#include <catch2/catch.hpp>

#include <functional>
#include <numeric>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::at;
using pa::test::inproc_cluster;
using pa::test::noise;
using pa::test::reduced;
using pa::test::same_bits;
using pa::test::sim_cluster;
using pa::test::tcp_cluster;
using pa::test::vectors;

namespace {

const std::vector<std::vector<int>> radices{{2, 2}, {2, 3},    {3, 2},    {2, 2, 2},
                                            {4, 2}, {3, 2, 2}, {4, 2, 2}, {4, 4}};

int peers_of(const std::vector<int>& radix)
{
    return std::accumulate(radix.begin(), radix.end(), 1, std::multiplies<>{});
}

}  // namespace

TEMPLATE_TEST_CASE("in stages, too, every peer ends with the reference's bits", "", sim_cluster,
                   inproc_cluster, tcp_cluster)
{
    for (const auto& radix : radices) {
        const int peers = peers_of(radix);
        TestType cluster(peers);
        for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{5},
                                        std::size_t{3000}, std::size_t{100'003}})
            for (const bool uneven : {false, true}) {
                std::vector<int> shares;
                for (int rank = 0; rank < peers; ++rank)
                    shares.push_back(uneven ? rank * 7 % 5 : 1);
                const std::vector<double> as_double(shares.begin(), shares.end());
                const auto in = noise(peers, count);
                CAPTURE(TestType::name, radix, count, uneven);
                const auto agrees = [&](auto naive, auto op, auto codec) {
                    const bool mean = std::is_same_v<decltype(op), pa::mean>;
                    const auto expected =
                        reference::all_reduce<decltype(naive)>(in, shares, mean, radix);
                    const auto out =
                        reduced(cluster, in, op, codec, {.shares = as_double, .radix = radix});
                    for (const auto& mine : out) REQUIRE(same_bits(mine, expected));
                };
                agrees(reference::no_codec{}, pa::sum{}, pa::identity{});
                agrees(reference::half{}, pa::mean{}, pa::as_f16{});
                agrees(reference::blocks_of_int8{}, pa::mean{}, pa::int8b{});
            }
    }
}

namespace {

/// What stages of two, then two peers make of data that comes by `codec`, part by part.
template <class Codec>
std::vector<float> sum_of_pairs(vectors in, const Codec& codec)
{
    for (auto& version : in)
        for (const auto& part : pa::partition(version.size(), in.size())) {
            std::vector<std::byte> output(codec.template bound<float>(part.size));
            const auto there = pa::detail::codec_at(codec, part.begin);
            const auto run = std::span(version).subspan(part.begin, part.size);
            const auto size = there.encode(std::span<const float>(run), output);
            there.decode(pa::bytes(output).first(size), run);
        }
    std::vector<float> sums(in[0].size());
    for (std::size_t i = 0; i < sums.size(); ++i)
        sums[i] = (in[0][i] + in[1][i]) + (in[2][i] + in[3][i]);
    return sums;
}

template <class Codec>
void comes_back_as_it_is(const Codec& codec)
{
    const std::vector<int> radix{2, 2};
    for (const std::size_t count : {std::size_t{1}, std::size_t{100}, std::size_t{100'003}}) {
        CAPTURE(pa::name(Codec::id), count);
        const auto in = noise(4, count);
        const auto expected = sum_of_pairs(in, codec);
        const pa::two_way both{codec, pa::identity{}};
        sim_cluster cluster(4);
        for (const auto& mine : reduced(cluster, in, pa::sum{}, both, {.radix = radix}))
            CHECK(same_bits(mine, expected));
        cluster.run([&](auto& net) -> pa::task<> {
            const auto mine = pa::partition(count, 4)[at(net.rank())];
            std::vector<float> out(mine.size);
            co_await pa::reduce_scatter(net, in[at(net.rank())], out, pa::sum{}, both,
                                        pa::call_options{.radix = radix, .chunk_bytes = 40'000});
            if (!std::equal(out.begin(), out.end(),
                            expected.begin() + static_cast<std::ptrdiff_t>(mine.begin)))
                throw std::logic_error("a wrong sum");
        });
    }
}

/// A transport whose peer cuts in half what it sends to another.
template <class Net>
struct shortening {
    Net& net;
    int to;

    int rank() const { return net.rank(); }
    int size() const { return net.size(); }
    pa::task<> send(int peer, pa::tag t, pa::bytes message)
    {
        const bool cut = peer == to && pa::fields_of(t).kind == pa::message_kind::contribution &&
                         pa::fields_of(t).index == 1;
        return net.send(peer, t, cut ? message.first(message.size() / 2) : message);
    }
    pa::task<std::size_t> recv(int peer, pa::tag t, pa::mutable_bytes output)
    {
        return net.recv(peer, t, output);
    }
};

}  // namespace

TEST_CASE("in stages, sums that go back as they are lose nothing, however data came")
{
    comes_back_as_it_is(pa::int8b{});
    comes_back_as_it_is(pa::topk<64>{});
    comes_back_as_it_is(pa::identity{});
}

TEST_CASE("in stages, a sum that is too short is refused, also where it would be read in place")
{
    const std::vector<int> radix{2, 2};
    sim_cluster cluster(4);
    auto data = noise(4, 10'000);
    std::vector<std::error_code> failures(4);
    cluster.run([&](auto& net) -> pa::task<> {
        const auto rank = at(net.rank());
        shortening<std::remove_reference_t<decltype(net)>> out{net, net.rank() == 3 ? 1 : -1};
        const pa::two_way codec{pa::int8b{}, pa::identity{}};
        const pa::call_options options{
            .timeout = 3s, .call = 1, .radix = radix, .chunk_bytes = 4096};
        try {
            co_await pa::all_reduce_in_place(out, data[rank], pa::sum{}, codec, options);
        } catch (const pa::call_error& why) {
            failures[rank] = why.code();
            if (rank == 1) CHECK(why.culprit() == 3);
        }
    });
    CHECK(failures[1] == pa::errc::bad_message);
    for (const auto& failure : failures) CHECK(failure);
}

TEST_CASE("in stages, too, neither chunk size nor chunks in flight nor threads change a bit")
{
    const std::vector<int> radix{3, 2};
    const auto in = noise(6, 40'000);
    sim_cluster usual_cluster(6);
    const auto usual = reduced(usual_cluster, in, pa::mean{}, pa::int8b{}, {.radix = radix})[0];
    for (const auto& o : {pa::call_options{.chunk_bytes = 1},
                          {.chunk_bytes = 5000, .in_flight = 1},
                          {.chunk_bytes = 1 << 20, .in_flight = 7}}) {
        auto options = o;
        options.radix = radix;
        sim_cluster cluster(6, {.seed = 7, .jitter = 20ms});
        for (const auto& mine : reduced(cluster, in, pa::mean{}, pa::int8b{}, options))
            CHECK(same_bits(mine, usual));
    }
    pa::thread_pool pool(2);
    tcp_cluster cluster(6);
    for (const auto& mine :
         reduced(cluster, in, pa::mean{}, pa::int8b{},
                 {.radix = radix, .chunk_bytes = 5000, .in_flight = 3, .pool = &pool}))
        CHECK(same_bits(mine, usual));
}

TEST_CASE("in stages, too, a weighted mean is normalised by the weights that the report names")
{
    const std::vector<int> radix{2, 3};
    for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{5000}}) {
        sim_cluster cluster(6);
        std::vector<std::vector<double>> out(6, std::vector<double>(count));
        cluster.run([&](auto& net) -> pa::task<> {
            const int rank = net.rank();
            const std::vector<double> in(count, rank);
            pa::call_options options{.weight = 1.0 + rank, .radix = radix};
            const auto report = co_await pa::all_reduce(net, in, out[at(rank)], pa::weighted_mean{},
                                                        pa::identity{}, options);
            REQUIRE(report.made_of.size() == 1);
            REQUIRE(report.made_of[0].from.size() == 6);
            for (const auto& c : report.made_of[0].from) REQUIRE(c.weight == 1.0 + c.rank);
        });
        // (0*1 + 1*2 + 2*3 + 3*4 + 4*5 + 5*6) / 21
        for (const auto& mine : out) {
            CHECK(mine == out[0]);
            for (const double x : mine) CHECK(x == Approx(70.0 / 21.0));
        }
    }
}

TEMPLATE_TEST_CASE("a reduce-scatter leaves each peer with its part of the sum", "", sim_cluster,
                   inproc_cluster, tcp_cluster)
{
    for (const auto& radix : std::vector<std::vector<int>>{{1}, {2}, {5}, {2, 3}, {2, 2, 2}}) {
        const int peers = peers_of(radix);
        TestType cluster(peers);
        for (const bool uneven : {false, true})
            for (const std::size_t each : {std::size_t{0}, std::size_t{1}, std::size_t{20'001}}) {
                std::vector<std::size_t> sizes;
                for (std::size_t rank = 0; rank < at(peers); ++rank)
                    sizes.push_back(uneven ? each * (rank % 3) : each);
                const auto count = std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
                CAPTURE(TestType::name, radix, each, uneven);
                cluster.run([&](auto& net) -> pa::task<> {
                    std::vector<std::int64_t> in(count), out(sizes[at(net.rank())], -1);
                    for (std::size_t i = 0; i < count; ++i)
                        in[i] = static_cast<std::int64_t>(i) * (net.rank() + 1);
                    pa::call_options options{.chunk_bytes = 40'000, .in_flight = 2};
                    if (peers > 1) options.radix = radix;
                    if (uneven) options.sizes = sizes;
                    co_await pa::reduce_scatter(net, in, out, pa::sum{}, pa::identity{}, options);
                    const auto begin =
                        std::accumulate(sizes.begin(), sizes.begin() + net.rank(), std::size_t{0});
                    for (std::size_t i = 0; i < out.size(); ++i)
                        if (out[i] !=
                            static_cast<std::int64_t>(begin + i) * peers * (peers + 1) / 2)
                            throw std::logic_error("a wrong sum");
                });
            }
    }
}

TEMPLATE_TEST_CASE("an all-gather gives every peer the parts of all", "", sim_cluster,
                   inproc_cluster, tcp_cluster)
{
    for (const auto& radix : std::vector<std::vector<int>>{{1}, {2}, {5}, {2, 3}, {2, 2, 2}}) {
        const int peers = peers_of(radix);
        TestType cluster(peers);
        for (const bool uneven : {false, true})
            for (const std::size_t each : {std::size_t{0}, std::size_t{1}, std::size_t{20'001}}) {
                std::vector<std::size_t> sizes;
                for (std::size_t rank = 0; rank < at(peers); ++rank)
                    sizes.push_back(uneven ? each * (rank % 3) : each);
                const auto count = std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
                CAPTURE(TestType::name, radix, each, uneven);
                vectors out(at(peers), std::vector<float>(count, -1.f));
                const auto gather = [&](auto codec) {
                    cluster.run([&](auto& net) -> pa::task<> {
                        const auto rank = at(net.rank());
                        std::vector<float> in(sizes[rank]);
                        for (std::size_t i = 0; i < in.size(); ++i)
                            in[i] = static_cast<float>(net.rank()) + static_cast<float>(i % 1000);
                        pa::call_options options{.chunk_bytes = 40'000, .in_flight = 2};
                        if (peers > 1) options.radix = radix;
                        if (uneven) options.sizes = sizes;
                        const auto report =
                            co_await pa::all_gather(net, in, out[rank], codec, options);
                        if (report.made_of.size() != at(peers)) throw std::logic_error("whose?");
                        for (std::size_t p = 0; p < at(peers); ++p)
                            if (report.made_of[p].range.size != sizes[p] ||
                                report.made_of[p].from[0].rank != static_cast<int>(p))
                                throw std::logic_error("whose?");
                    });
                };
                gather(pa::identity{});
                for (const auto& mine : out) REQUIRE(same_bits(mine, out[0]));
                std::size_t i = 0;
                for (int p = 0; p < peers; ++p)
                    for (std::size_t k = 0; k < sizes[at(p)]; ++k, ++i)
                        if (out[0][i] != static_cast<float>(p) + static_cast<float>(k % 1000))
                            FAIL("element " << i);
                gather(pa::int8b{});
                for (const auto& mine : out) REQUIRE(same_bits(mine, out[0]));
            }
    }
}

TEMPLATE_TEST_CASE("a broadcast gives every peer the root's data", "", sim_cluster, inproc_cluster,
                   tcp_cluster)
{
    for (const auto& radix : std::vector<std::vector<int>>{{2}, {5}, {2, 3}, {2, 2, 2}}) {
        const int peers = peers_of(radix);
        TestType cluster(peers);
        for (const std::size_t count : {std::size_t{0}, std::size_t{3}, std::size_t{50'001}})
            for (const int root : {0, peers - 1}) {
                CAPTURE(TestType::name, radix, count, root);
                auto data = noise(peers, count);
                const auto sent = data[at(root)];
                cluster.run([&](auto& net) -> pa::task<> {
                    const auto report =
                        co_await pa::broadcast(net, data[at(net.rank())], root, pa::identity{},
                                               {.radix = radix, .chunk_bytes = 20'000});
                    if (report.made_of[0].from != std::vector{pa::contributor{root, 1}})
                        throw std::logic_error("whose?");
                });
                for (const auto& mine : data) REQUIRE(same_bits(mine, sent));
            }
    }
}

TEMPLATE_TEST_CASE("a barrier holds everybody until all have come", "", sim_cluster, inproc_cluster,
                   tcp_cluster)
{
    for (const auto& radix : std::vector<std::vector<int>>{{2}, {5}, {2, 3}, {2, 2, 2}}) {
        const int peers = peers_of(radix);
        TestType cluster(peers);
        int arrived = 0;
        pa::gate last_may_come;
        cluster.run([&](auto& net) -> pa::task<> {
            if (net.rank() == peers - 1) {
                co_await last_may_come.opened();
            }
            if (++arrived == peers - 1) last_may_come.open();
            co_await pa::barrier(net, {.radix = radix});
            if (arrived != peers) throw std::logic_error("passed a barrier too early");
        });
        CHECK(arrived == peers);
    }
}

TEST_CASE("small gathers and barriers take as few latencies as they can")
{
    const auto took = [](std::vector<int> radix, auto program) {
        sim_cluster cluster(8, {.latency = 100ms});
        cluster.run([&](auto& net) -> pa::task<> {
            pa::task<> work = program(net, pa::call_options{.radix = radix});
            co_await std::move(work);
        });
        return cluster.world().now() - pa::time_point{};
    };
    const auto barrier = [](auto& net, pa::call_options o) -> pa::task<> {
        co_await pa::barrier(net, o);
    };
    const auto gather = [](auto& net, pa::call_options o) -> pa::task<> {
        const std::vector<float> in(1);
        std::vector<float> out(8);
        co_await pa::all_gather(net, in, out, pa::identity{}, o);
    };
    const auto scatter = [](auto& net, pa::call_options o) -> pa::task<> {
        const std::vector<float> in(8);
        std::vector<float> out(1);
        co_await pa::reduce_scatter(net, in, out, pa::sum{}, pa::identity{}, o);
    };
    const auto close_to = [](pa::duration is, pa::duration wanted) {
        return is >= wanted && is < wanted + 50ms;
    };
    CHECK(close_to(took({8}, barrier), 100ms));
    CHECK(close_to(took({2, 2, 2}, barrier), 300ms));
    CHECK(close_to(took({8}, gather), 200ms));
    CHECK(close_to(took({8}, scatter), 200ms));
}

TEST_CASE("what does not fit the collective is refused with a sentence")
{
    const auto refused = [](auto call, const char* why) {
        sim_cluster cluster(4);
        CHECK_THROWS_WITH(cluster.run([&](auto& net) -> pa::task<> {
            std::vector<float> four(4), one(1);
            co_await call(net, four, one);
        }),
                          Catch::Contains(why));
    };
    const std::vector<int> radix{2, 3}, stages{2, 2};
    const std::vector<std::size_t> sizes{1, 1, 1, 2}, few{1, 1, 1, 0}, three{1, 1, 1};
    const std::vector<pa::role> roles{pa::role::full, pa::role::full, pa::role::full,
                                      pa::role::client};
    const std::vector<double> shares{1, 1, 1, 1};
    refused(
        [&](auto& net, auto& four, auto&) {
            return pa::all_reduce_in_place(net, four, pa::sum{}, pa::identity{}, {.radix = radix});
        },
        "radix");
    refused(
        [&](auto& net, auto& four, auto&) {
            return pa::all_reduce_in_place(net, four, pa::sum{}, pa::identity{},
                                           {.roles = roles, .radix = stages});
        },
        "call_options::radix has at most 1 stage where not all peers are full: it has 2");
    refused(
        [&](auto& net, auto& four, auto&) {
            return pa::all_reduce_in_place(net, four, pa::exact_mean{}, pa::as_f16{},
                                           {.radix = stages});
        },
        "leave call_options::radix out");
    refused(
        [&](auto& net, auto& four, auto& one) {
            return pa::reduce_scatter(net, four, one, pa::exact_mean{}, pa::as_f16{},
                                      {.radix = stages});
        },
        "leave call_options::radix out");
    refused(
        [&](auto& net, auto& four, auto&) {
            return pa::all_reduce_in_place(net, four, pa::sum{}, pa::identity{}, {.sizes = sizes});
        },
        "sizes");
    refused([&](auto& net, auto& four, auto&) { return pa::reduce_scatter(net, four, four); },
            "part");
    refused([&](auto& net, auto& four, auto&) { return pa::all_gather(net, four, four); }, "part");
    const auto refused_sizes = [&](const std::vector<std::size_t>& wrong, const char* why) {
        refused(
            [&](auto& net, auto& four, auto& one) {
                return pa::reduce_scatter(net, four, one, pa::sum{}, pa::identity{},
                                          {.sizes = wrong});
            },
            why);
    };
    const std::size_t half = std::size_t{1} << 63;
    const std::vector<std::size_t> huge{half, half, 2, 2};
    refused_sizes(sizes, "the sum of call_options::sizes is 4, the number of elements: it is 5");
    refused_sizes(few, "the sum of call_options::sizes is 4, the number of elements: it is 3");
    refused_sizes(huge, "it is 2^64 or more");
    refused_sizes(three, "call_options::sizes has 3 entries for a group of 4");
    refused(
        [&](auto& net, auto& four, auto& one) {
            return pa::all_gather(net, one, four, pa::identity{}, {.shares = shares});
        },
        "sizes");
    refused([&](auto& net, auto& four, auto&) { return pa::broadcast(net, four, 4); }, "root");
    refused([&](auto& net, auto& four,
                auto&) { return pa::all_gather(net, std::span(four).subspan(1, 1), four); },
            "overlap");
}
