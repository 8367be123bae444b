#include <papilio/collective/integer_all_reduce.hpp>

#include <faults/drop_every_step.hpp>
#include <support/clusters.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <limits>

namespace pa = papilio;
using pa::test::inproc_cluster;
using pa::test::inproc_threads_cluster;
using pa::test::sim_cluster;

namespace {

using vectors = std::vector<std::vector<float>>;

std::size_t at(int rank)
{
    return static_cast<std::size_t>(rank);
}

vectors noise(int peers, std::size_t count)
{
    vectors data;
    for (int rank = 0; rank < peers; ++rank) {
        pa::random random(static_cast<std::uint64_t>(rank) + 1);
        auto& mine = data.emplace_back(count);
        for (auto& x : mine)
            x = static_cast<float>(random.normal() * std::ldexp(1.0, int(random.below(4)) - 8));
    }
    return data;
}

template <class Cluster, class Op>
vectors reduced(Cluster& cluster, const vectors& in, Op op, pa::call_options options = {})
{
    vectors out(in.size(), std::vector<float>(in[0].size(), -1.f));
    cluster.run([&](auto& net) -> pa::task<> {
        const auto rank = at(net.rank());
        co_await pa::integer_all_reduce(net, in[rank], out[rank], op, options);
    });
    return out;
}

/// By the definition: blocks of 128 under one scale for all, integers added in long integers.
std::vector<float> expected(const vectors& in, bool mean)
{
    const auto count = in[0].size();
    std::vector<float> out(count);
    for (std::size_t begin = 0; begin < count; begin += 128) {
        const auto end = std::min(begin + 128, count);
        float largest = 0;
        for (const auto& version : in)
            for (auto i = begin; i < end; ++i) largest = std::max(largest, std::fabs(version[i]));
        const auto bits =
            (std::bit_cast<std::uint32_t>(largest / 127) + 0xffff) / 0x10000 * 0x10000;
        const float scale = largest < 0x1p-100f ? 0 : std::bit_cast<float>(bits);
        const float inverse = scale == 0 ? 0 : 1 / scale;
        for (auto i = begin; i < end; ++i) {
            long sum = 0;
            for (const auto& version : in)
                sum += std::lround(std::nearbyint(static_cast<double>(version[i] * inverse)));
            const double result = static_cast<double>(sum) * static_cast<double>(scale);
            out[i] = static_cast<float>(mean ? result / static_cast<double>(in.size()) : result);
        }
    }
    return out;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b)
{
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

struct adding {
    template <class Net>
    pa::task<> operator()(Net& net) const
    {
        std::vector<float> data(900, static_cast<float>(net.rank()));
        pa::call_options options{.timeout = std::chrono::seconds(30), .chunk_bytes = 512};
        co_await pa::integer_all_reduce(net, data, data, pa::mean{}, options);
        if (data.front() != data.back()) throw std::system_error(pa::errc::bad_message);
    }
};

}  // namespace

TEMPLATE_TEST_CASE("an integer all-reduce adds multiples of common scales", "", sim_cluster,
                   inproc_cluster, inproc_threads_cluster)
{
    for (const int peers : {1, 2, 3, 5, 8}) {
        for (const std::size_t count : {0u, 1u, 127u, 1000u, 100'003u}) {
            TestType cluster(peers);
            const auto in = noise(peers, count);
            CAPTURE(TestType::name, peers, count);
            const auto sum = expected(in, false), mean = expected(in, true);
            for (const auto& out : reduced(cluster, in, pa::sum{})) REQUIRE(same_bits(out, sum));
            for (const auto& out : reduced(cluster, in, pa::mean{})) REQUIRE(same_bits(out, mean));
        }
    }
}

TEST_CASE("an integer all-reduce has the same bits in any order of peers and of arrival")
{
    constexpr int peers = 6;
    const auto in = noise(peers, 50'001);
    const auto mean = expected(in, true);
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
        sim_cluster cluster(peers, {.seed = seed});
        vectors permuted;
        for (std::size_t rank = 0; rank < peers; ++rank)
            permuted.push_back(in[(5 * rank + seed) % peers]);
        for (const auto& out : reduced(cluster, permuted, pa::mean{}))
            REQUIRE(same_bits(out, mean));
    }
}

TEST_CASE("an integer all-reduce sums up exactly among more peers than sixteen bits hold")
{
    sim_cluster cluster(300);
    const vectors in(300, std::vector<float>(200, 127.0f));
    for (const auto& out : reduced(cluster, in, pa::sum{}))
        REQUIRE(out == std::vector<float>(200, 300 * 127.0f));
}

TEST_CASE("an integer all-reduce has the same bits in any stages, too")
{
    const auto in = noise(6, 20'001);
    const auto mean = expected(in, true);
    for (const auto& radix : std::vector<std::vector<int>>{{6}, {2, 3}, {3, 2}}) {
        sim_cluster cluster(6);
        for (const auto& out : reduced(cluster, in, pa::mean{}, {.radix = radix}))
            REQUIRE(same_bits(out, mean));
    }
    const std::vector<int> radix{4, 5, 15};  // more peers than sixteen bits hold
    sim_cluster cluster(300);
    const vectors ones(300, std::vector<float>(200, 127.0f));
    for (const auto& out : reduced(cluster, ones, pa::sum{}, {.radix = radix}))
        REQUIRE(out == std::vector<float>(200, 300 * 127.0f));
}

TEMPLATE_TEST_CASE("an integer mean of finite numbers is finite", "", float, double, pa::f16,
                   pa::bf16)
{
    const float largest = std::same_as<TestType, pa::f16>    ? 65504
                          : std::same_as<TestType, pa::bf16> ? 0x1.fep127f
                                                             : std::numeric_limits<float>::max();
    for (const std::size_t count : {200u, 50'000u}) {
        sim_cluster cluster(3);
        std::vector<std::vector<TestType>> data(3, std::vector<TestType>(count));
        for (auto& mine : data)
            for (std::size_t i = 0; i < count; ++i)
                mine[i] = static_cast<TestType>(i % 2 == 0 ? largest : -largest);
        cluster.run([&](auto& net) -> pa::task<> {
            auto& mine = data[at(net.rank())];
            co_await pa::integer_all_reduce(net, mine, mine, pa::mean{});
        });
        for (const auto& mine : data) {
            REQUIRE(std::memcmp(mine.data(), data[0].data(), count * sizeof(TestType)) == 0);
            for (std::size_t i = 0; i < count; ++i) {
                const auto x = static_cast<double>(mine[i]) / static_cast<double>(largest);
                REQUIRE(std::isfinite(static_cast<double>(mine[i])));
                REQUIRE(x == Approx(i % 2 == 0 ? 1 : -1).epsilon(0.01));
            }
        }
    }
}

TEST_CASE("scales that no data has fail an integer all-reduce on all honest peers")
{
    for (const unsigned bad : {0xffffu, 0xbf80u, 0x8000u, 0x7fc0u, 0x7f81u, 0x7f7fu,
                               pa::detail::int8b_format::largest_scale + 1u,
                               pa::detail::int8b_format::smallest_scale - 1u, 1u})
        for (const std::size_t count : {200u, 50'000u}) {
            CAPTURE(bad, count);
            sim_cluster cluster(3);
            const vectors in(3, std::vector<float>(count));  // all scales are larger than these
            vectors out(3, std::vector<float>(count, -7.f));
            int refused = 0;
            cluster.run([&](auto& net) -> pa::task<> {
                const auto rank = at(net.rank());
                if (rank == 1) {
                    std::vector<std::uint16_t> scales((count + 127) / 128,
                                                      static_cast<std::uint16_t>(bad));
                    co_await pa::all_reduce_in_place(net, scales, pa::max{});
                    co_return;
                }
                try {
                    co_await pa::integer_all_reduce(net, in[rank], out[rank], pa::mean{});
                } catch (const std::system_error& failure) {
                    refused += failure.code() == pa::errc::bad_message;
                }
            });
            CHECK(refused == 2);
            CHECK(out == vectors(3, std::vector<float>(count, -7.f)));
        }
}

TEST_CASE("an integer all-reduce has room for its second number, or says so")
{
    const auto with = [](std::uint32_t number) {
        sim_cluster cluster(2);
        cluster.run([&](auto& net) -> pa::task<> {
            std::vector<float> data(10, 1.f);
            pa::call_options options{.call = number};
            co_await pa::integer_all_reduce(net, data, data, pa::mean{}, options);
        });
    };
    CHECK_NOTHROW(with(524'286));
    CHECK_THROWS_WITH(with(524'287), Catch::Contains("524,286"));
    CHECK_THROWS_WITH(with(524'288), Catch::Contains("524,286"));
}

TEST_CASE("an integer all-reduce may have its result in the place of the data")
{
    sim_cluster cluster(3);
    const auto in = noise(3, 5000);
    auto data = in;
    cluster.run([&](auto& net) -> pa::task<> {
        auto& mine = data[at(net.rank())];
        pa::call_options options{.call = 7};
        const auto report = co_await pa::integer_all_reduce(net, mine, mine, pa::mean{}, options);
        if (report.made_of.empty() || report.bytes_sent() == 0)
            throw std::runtime_error("no report");
    });
    for (const auto& mine : data) CHECK(same_bits(mine, expected(in, true)));
}

TEST_CASE("where one peer's data is not finite, an integer all-reduce fails on all and harms none")
{
    sim_cluster cluster(4);
    auto data = noise(4, 3000);
    data[2][1234] = std::nanf("");
    const auto before = data;
    int refused = 0;
    cluster.run([&](auto& net) -> pa::task<> {
        auto& mine = data[at(net.rank())];
        try {
            co_await pa::integer_all_reduce(net, mine, mine, pa::sum{});
        } catch (const std::system_error& failure) {
            if (failure.code() == pa::errc::not_finite) ++refused;
        }
    });
    CHECK(refused == 4);
    for (std::size_t rank = 0; rank < 4; ++rank) CHECK(same_bits(data[rank], before[rank]));
}

TEST_CASE("an integer all-reduce takes what auxiliary peers do not have, and ends in time")
{
    sim_cluster cluster(3);
    const auto in = noise(2, 4000);
    const std::vector roles{pa::role::full, pa::role::full, pa::role::auxiliary};
    vectors out(3, std::vector<float>(4000));
    cluster.run([&](auto& net) -> pa::task<> {
        const auto rank = at(net.rank());
        const std::span<const float> mine =
            rank < 2 ? std::span(in[rank]) : std::span<const float>();
        pa::call_options options{.roles = roles};
        co_await pa::integer_all_reduce(net, mine, out[rank], pa::mean{}, options);
    });
    for (const auto& mine : out) CHECK(same_bits(mine, expected(in, true)));

    cluster.lose(2);
    int failed = 0;
    const auto begin = cluster.loop().now();
    cluster.run([&](auto& net) -> pa::task<> {
        pa::call_options options{.timeout = std::chrono::seconds(5), .roles = roles};
        const auto rank = at(net.rank());
        try {
            co_await pa::integer_all_reduce(net, in[rank], out[rank], pa::mean{}, options);
        } catch (const std::system_error&) {
            ++failed;
        }
    });
    CHECK(failed == 2);
    CHECK(cluster.loop().now() - begin <= std::chrono::seconds(5));
    for (std::size_t rank = 0; rank < 2; ++rank) CHECK(same_bits(out[rank], expected(in, true)));
}

TEST_CASE("an integer all-reduce can be dropped after any event, and lose a peer")
{
    const auto make = [] {
        return sim_cluster(3, {.seed = 3, .jitter = std::chrono::milliseconds(20)});
    };
    CHECK(pa::test::drop_at_every_step(make, adding{}, 3) > 50);
    const auto judge = [](auto& cluster, const auto& others) {
        CHECK(cluster.world().now() <= pa::time_point(std::chrono::seconds(30)));
        for (const auto& t : others) CHECK(t.finished());
    };
    CHECK(pa::test::lose_at_every_step(make, 1, adding{}, judge, 3) > 50);
}
