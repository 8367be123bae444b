// Peers of weight 0 take part in a call and contribute nothing to it.

#include <papilio/collective/options.hpp>

#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/op.hpp>
#include <papilio/wire/descriptor.hpp>
#include <papilio/wire/vote.hpp>

#include <support/clusters.hpp>
#include <support/reference.hpp>
#include <support/values.hpp>

#include <catch2/catch.hpp>

#include <numeric>
#include <optional>

namespace pa = papilio;
using pa::test::at;
using pa::test::noise;
using pa::test::same_bits;
using pa::test::sim_cluster;
using pa::test::vectors;

namespace {

struct outcome {
    pa::report made;
    std::optional<pa::call_error> failure;
};

/// What each peer gets when rank r contributes `in[r]` with `weights[r]`, and `in` is empty where
/// that is 0.
template <class Op, class Codec>
std::vector<outcome> reduce(vectors in, const std::vector<double>& weights, Op op, Codec codec,
                            pa::call_options options, vectors& out)
{
    const auto count = in[0].size();
    sim_cluster cluster(static_cast<int>(in.size()), {.jitter = std::chrono::milliseconds(5)});
    out.assign(in.size(), std::vector<float>(count));
    std::vector<outcome> ends(in.size());
    cluster.run([&](auto& net) -> pa::task<> {
        const auto rank = at(net.rank());
        auto mine = options;
        mine.weight = weights[rank];
        if (mine.weight == 0) in[rank].clear();
        try {
            ends[rank].made = co_await pa::all_reduce(net, in[rank], out[rank], op, codec, mine);
        } catch (const pa::call_error& failure) {
            ends[rank].failure = failure;
        }
    });
    return ends;
}

std::vector<pa::contributor> heavier_than_nothing(const std::vector<double>& weights)
{
    std::vector<pa::contributor> found;
    for (int rank = 0; rank < static_cast<int>(weights.size()); ++rank)
        if (weights[at(rank)] > 0) found.push_back({rank, weights[at(rank)]});
    return found;
}

/// A mean that says nothing of stages.
struct even_only {
    static constexpr pa::op_id id = pa::op_id::first_user;
    template <pa::element T>
    void reduce(std::span<const std::span<const T>> contributions, std::span<const double> weights,
                std::span<T> out) const
    {
        if constexpr (pa::mean::takes<T>) pa::mean{}.reduce(contributions, weights, out);
    }
};

}  // namespace

TEST_CASE("a peer of weight 0 counts in no operation, and receives the result like everybody")
{
    const std::size_t count = GENERATE(100u, 20'000u);  // to all, and by parts
    const std::vector<int> even(4, 1);
    const auto in = noise(4, count);
    for (const auto& weights :
         std::vector<std::vector<double>>{{1, 0, 2, 1}, {0, 0, 3, 0}, {0, 1, 1, 1}}) {
        const auto made_of = heavier_than_nothing(weights);
        vectors out;
        const auto check = [&](const auto& ends, const std::vector<float>& expected) {
            for (const auto& end : ends) {
                REQUIRE_FALSE(end.failure);
                CHECK(end.made.made_of[0].from == made_of);
            }
            for (const auto& mine : out) CHECK(same_bits(mine, expected));
        };
        using reference::blocks_of_int8;
        using reference::no_codec;
        check(reduce(in, weights, pa::sum{}, pa::identity{}, {}, out),
              reference::all_reduce<no_codec>(in, even, false, {}, weights));
        check(reduce(in, weights, pa::mean{}, pa::identity{}, {}, out),
              reference::all_reduce<no_codec>(in, even, true, {}, weights));
        check(reduce(in, weights, pa::mean{}, pa::int8b{}, {}, out),
              reference::all_reduce<blocks_of_int8>(in, even, true, {}, weights));

        std::vector<float> least(count, std::numeric_limits<float>::infinity()), heavy(count);
        for (std::size_t i = 0; i < count; ++i) {
            double sum = 0;
            for (const auto& [rank, weight] : made_of) {
                least[i] = std::min(least[i], in[at(rank)][i]);
                sum += weight * in[at(rank)][i];
            }
            heavy[i] =
                static_cast<float>(sum / std::accumulate(weights.begin(), weights.end(), 0.0));
        }
        check(reduce(in, weights, pa::min{}, pa::identity{}, {}, out), least);
        reduce(in, weights, pa::weighted_mean{}, pa::identity{}, {}, out);
        for (const auto& mine : out)
            for (std::size_t i = 0; i < count; ++i)
                REQUIRE(mine[i] == Approx(heavy[i]).margin(1e-4));
    }
}

TEST_CASE("a peer of weight 0 sends no elements but the results of its part")
{
    vectors out;
    const auto ends = reduce(noise(4, 4000), {1, 0, 1, 1}, pa::sum{}, pa::identity{},
                             {.chunk_bytes = 1 << 20}, out);
    constexpr auto part = 1000 * sizeof(float);
    constexpr auto aside = pa::wire::descriptor::encoded_size + pa::wire::vote::encoded_size;
    CHECK(ends[1].made.peers[0].sent == part + aside);
    CHECK(ends[0].made.peers[1].sent == 2 * part + aside);
    const auto small =
        reduce(noise(2, 100), {1, 0}, pa::sum{}, pa::identity{}, pa::call_options{}, out);
    CHECK(small[1].made.peers[0].sent == aside);
}

TEST_CASE("a call in which every weight is 0 fails on all peers, by an error of its own")
{
    const std::size_t count = GENERATE(100u, 20'000u);
    const std::vector<int> stages{2, 2}, one_stage{4};
    const std::vector<pa::role> roles{pa::role::client, pa::role::full, pa::role::auxiliary,
                                      pa::role::observer};
    for (const auto& options : {pa::call_options{}, pa::call_options{.radix = stages},
                                pa::call_options{.roles = roles, .radix = one_stage}}) {
        vectors out;
        for (const auto& end :
             reduce(noise(4, count), {0, 0, 0, 0}, pa::sum{}, pa::identity{}, options, out)) {
            REQUIRE(end.failure);
            CHECK(end.failure->code() == pa::errc::no_contribution);
            CHECK_THAT(end.failure->what(), Catch::Contains("nobody contributes") ||
                                                Catch::Contains("every peer's weight is 0"));
        }
    }
}

TEST_CASE("in stages, blocks without contributions send none, and the result is that of the rest")
{
    const std::vector<int> radix{2, 3}, even(6, 1);
    const auto in = noise(6, 10'000);
    for (const auto& weights : std::vector<std::vector<double>>{
             {0, 0, 1, 1, 1, 1}, {0, 2, 0, 1, 0, 0}, {0, 0, 0, 0, 0, 1}, {1, 0, 0, 0, 1, 3}}) {
        vectors out;
        for (const auto& end : reduce(in, weights, pa::sum{}, pa::int8b{}, {.radix = radix}, out)) {
            REQUIRE_FALSE(end.failure);
            CHECK(end.made.made_of[0].from == heavier_than_nothing(weights));
        }
        const auto expected =
            reference::all_reduce<reference::blocks_of_int8>(in, even, false, radix, weights);
        for (const auto& mine : out) CHECK(same_bits(mine, expected));

        const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
        reduce(in, weights, pa::weighted_mean{}, pa::identity{}, {.radix = radix}, out);
        for (std::size_t i = 0; i < in[0].size(); i += 97) {
            double sum = 0;
            for (std::size_t rank = 0; rank < 6; ++rank) sum += weights[rank] * in[rank][i];
            for (const auto& mine : out) REQUIRE(mine[i] == Approx(sum / all).margin(1e-4));
        }
    }
}

TEST_CASE("in stages a mean counts each contribution once, however many a block has of them")
{
    const auto in = noise(6, 10'000);
    for (const auto& radix : {std::vector<int>{2, 3}, {3, 2}})
        for (const auto& weights : std::vector<std::vector<double>>{
                 {1, 1, 0, 1, 1, 1}, {0, 0, 5, 0, 1, 1}, {0, 0, 0, 0, 0, 1}, {2, 3, 4, 5, 6, 7}}) {
            vectors out;
            const auto made_of = heavier_than_nothing(weights);
            for (const auto& end :
                 reduce(in, weights, pa::mean{}, pa::identity{}, {.radix = radix}, out)) {
                REQUIRE_FALSE(end.failure);
                CHECK(end.made.made_of[0].from == made_of);
            }
            for (std::size_t i = 0; i < in[0].size(); i += 97) {
                double sum = 0;
                for (const auto& from : made_of) sum += in[at(from.rank)][i];
                const double mean = sum / static_cast<double>(made_of.size());
                REQUIRE(out[0][i] == Approx(mean).margin(1e-5));
            }
            for (const auto& mine : out) CHECK(same_bits(mine, out[0]));
        }
}

TEST_CASE("in stages an operation that says nothing of uneven blocks refuses a weight of 0")
{
    const std::vector<int> radix{2, 2};
    vectors out;
    for (const auto& end :
         reduce(noise(4, 1000), {1, 1, 0, 1}, even_only{}, pa::identity{}, {.radix = radix}, out)) {
        REQUIRE(end.failure);
        CHECK(end.failure->code() == pa::errc::no_contribution);
        CHECK(end.failure->culprit() == 2);
        CHECK_THAT(end.failure->what(),
                   Catch::Contains("in stages") || Catch::Contains("several stages"));
    }
}

TEST_CASE("a reduce-scatter leaves out peers of weight 0, too")
{
    const std::vector<int> one{4}, two{2, 2};
    for (const auto& radix : {one, two}) {
        sim_cluster cluster(4);
        const std::vector<double> weights{0, 2, 0, 1};
        const auto in = noise(4, 4000);
        cluster.run([&](auto& net) -> pa::task<> {
            const auto rank = at(net.rank());
            std::vector<float> out(1000);
            const pa::call_options options{.weight = weights[rank], .radix = radix};
            const auto made = co_await pa::reduce_scatter(net, in[rank], out, options);
            CHECK(made.made_of[0].from == heavier_than_nothing(weights));
            bool right = true;
            for (std::size_t i = 0; i < 1000; ++i)
                right &= out[i] == in[1][1000 * rank + i] + in[3][1000 * rank + i];
            CHECK(right);
        });
    }
}

TEST_CASE("a weight of 0 changes nothing where a collective or a role has no use for weights")
{
    sim_cluster cluster(3);
    cluster.run([](auto& net) -> pa::task<> {
        const auto mine = static_cast<float>(net.rank());
        const std::vector<float> one{mine};
        std::vector<float> three(3), data{mine}, out(1);
        const auto made = co_await pa::all_gather(net, one, three, {.weight = 0});
        CHECK(three == std::vector<float>{0, 1, 2});
        CHECK(made.made_of.size() == 3);
        co_await pa::broadcast(net, data, 1, {.weight = 0});
        CHECK(data[0] == 1);
        co_await pa::barrier(net, {.weight = 0});
        const double weight = net.rank() == 2 ? 0 : 1;
        co_await pa::all_reduce(
            net, one, out,
            {.weight = weight, .roles = {pa::role::full, pa::role::client, pa::role::observer}});
        CHECK(out[0] == 1);
    });
}
