// What holds for a call by any codec, also where each peer's is a little other than the others'.

#include <papilio/codec.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op.hpp>

#include <support/clusters.hpp>
#include <support/values.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <limits>

namespace pa = papilio;
using pa::test::at;
using pa::test::noise;
using pa::test::same_bits;
using pa::test::sim_cluster;
using pa::test::vectors;

// The engine is compiled anew for each codec, which sanitizers make slow; they see some.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

namespace {

constexpr std::size_t little = 100, more = 100'000;
constexpr std::array two_stages{2, 2};

using memory = pa::residuals<float>;

/// A seed that no other peer has.
std::uint64_t seed(int rank)
{
    return static_cast<std::uint64_t>(rank) + 1;
}

/// The mean by peers of which each has a codec of its own.
template <class CodecOf>
vectors averaged(const vectors& in, const CodecOf& codec_of, pa::call_options options)
{
    const auto count = in[0].size();
    std::vector<memory> memories(in.size(), memory(count));
    vectors out(in.size(), std::vector<float>(count));
    sim_cluster cluster(static_cast<int>(in.size()));
    cluster.run([&](auto& net) -> pa::task<> {
        const auto rank = at(net.rank());
        const auto codec = codec_of(net.rank(), memories[rank]);
        co_await pa::all_reduce(net, in[rank], out[rank], pa::mean{}, codec, options);
    });
    return out;
}

/// The squared error over the squares.
double relative_error(const vectors& in, const std::vector<float>& mean)
{
    double error = 0, squares = 0;
    for (std::size_t i = 0; i < mean.size(); ++i) {
        double exact = 0;
        for (const auto& version : in) exact += static_cast<double>(version[i]);
        exact /= static_cast<double>(in.size());
        error += std::pow(static_cast<double>(mean[i]) - exact, 2);
        squares += exact * exact;
    }
    return error / squares;
}

template <class CodecOf>
void agrees(const CodecOf& codec_of)
{
    const auto check = [&](std::size_t count, pa::call_options options) {
        const auto in = noise(4, count);
        const auto out = averaged(in, codec_of, options);
        for (const auto& mine : out) REQUIRE(same_bits(mine, out[0]));
        CHECK(relative_error(in, out[0]) < 1);
        return out[0];
    };
    const auto at_once = check(little, {});
    CHECK(same_bits(at_once, check(little, {.chunk_bytes = 1 << 20})));
    check(more, {});
    check(little, {.radix = two_stages});
    check(more, {.radix = two_stages});
}

template <class Codec>
void agrees_by(Codec codec)
{
    CAPTURE(pa::name(Codec::id));
    agrees([&](int, memory&) { return codec; });
}

}  // namespace

TEST_CASE("by every codec, little data or more, in any stages, all peers end with the same bits")
{
#if SANITIZED
    using list =
        pa::codec_list<pa::identity, pa::int8b, pa::f16b, pa::topk<64>, pa::hivemind::uniform8>;
#else
    using list = pa::all_codecs;
#endif
    pa::for_each_codec(list{}, [](auto codec) { agrees_by(codec); });
}

TEST_CASE("peers that round by seeds of their own end with the same bits")
{
    agrees([](int rank, memory&) { return pa::stochastic<pa::int8b>{.seed = seed(rank)}; });
    agrees([](int rank, memory&) { return pa::stochastic<pa::int4b<32>>{.seed = seed(rank)}; });
    agrees([](int rank, memory&) {
        return pa::two_way{pa::int8b{}, pa::stochastic<pa::int8b>{.seed = seed(rank)}};
    });
    agrees([](int rank, memory& left) {
        return pa::error_feedback(left, pa::stochastic<pa::int4b<32>>{.seed = seed(rank)});
    });
    agrees([](int rank, memory&) {
        return pa::centred{pa::stochastic<pa::int4b<32>>{.seed = seed(rank)}};
    });
    agrees([](int rank, memory& left) {
        const pa::stochastic<pa::int8b> rounding{.seed = seed(rank)};
        return pa::finite_only{pa::error_feedback(left, rounding)};
    });
}

TEST_CASE("by codecs around others, too, all peers end with the same bits")
{
    agrees_by(pa::two_way{pa::int8b{}, pa::identity{}});
    agrees_by(pa::two_way{pa::topk<64>{}, pa::int8b{}});
    agrees_by(pa::two_way{pa::identity{}, pa::as_bf16{}});
    agrees_by(pa::finite_only{pa::int8b{}});
    agrees_by(pa::centred{pa::nf4b{}});
    agrees_by(pa::two_way{pa::centred{pa::fp4{}}, pa::int8b{}});
    agrees([](int, memory& left) { return pa::error_feedback(left, pa::nf4b{}); });
    agrees([](int, memory& left) {
        return pa::two_way{pa::error_feedback(left, pa::int4b<32>{}), pa::identity{}};
    });
}

TEST_CASE("peers that disagree about what is not finite are found out")
{
    for (const auto count : {little, more}) {
        sim_cluster cluster(2);
        vectors data(2, std::vector<float>(count, 1.f));
        int mismatches = 0;
        cluster.run([&](auto& net) -> pa::task<> {
            auto& mine = data[at(net.rank())];
            try {
                if (net.rank() == 0) {
                    co_await pa::all_reduce_in_place(net, mine, pa::sum{}, pa::int8b{});
                } else {
                    const pa::finite_only codec{pa::int8b{}};
                    co_await pa::all_reduce_in_place(net, mine, pa::sum{}, codec);
                }
            } catch (const pa::call_error& why) {
                mismatches += why.code() == pa::errc::mismatch;
            }
        });
        CHECK(mismatches == 2);
    }
}

TEST_CASE("a result is encoded on its way back however little there is of it, losslessly, too")
{
    for (const auto count : {little, more}) {
        CAPTURE(count);
        int refused = 0;
        sim_cluster cluster(3);
        cluster.run([&](auto& net) -> pa::task<> {
            const pa::finite_only finite{pa::identity{}};
            std::vector<float> data(count, 2e38f);
            try {
                co_await pa::all_reduce_in_place(net, data, pa::sum{}, finite);
            } catch (const pa::call_error& why) {
                refused += why.code() == pa::errc::not_finite && why.culprit() == -1;
            }
            const pa::two_way one_way{finite, pa::identity{}};
            std::vector<float> sums(count, 2e38f);
            co_await pa::all_reduce_in_place(net, sums, pa::sum{}, one_way);
            if (sums != std::vector<float>(count, std::numeric_limits<float>::infinity()))
                throw std::logic_error("a wrong sum");
        });
        CHECK(refused == 3);
    }
}

TEMPLATE_TEST_CASE("a mean of finite halves is finite by any codec", "", pa::int8b, pa::int4b<32>,
                   pa::nf4b, pa::fp8<pa::e4m3>, pa::as_bf16, (pa::two_way<pa::int8b, pa::identity>))
{
    for (const float largest : {65504.f, -65504.f})
        for (const auto& options :
             {pa::call_options{}, {.chunk_bytes = 1 << 20}, {.radix = two_stages}}) {
            sim_cluster cluster(4);
            std::vector<std::vector<pa::f16>> data(4, std::vector<pa::f16>(1000, pa::f16(largest)));
            cluster.run([&](auto& net) -> pa::task<> {
                co_await pa::all_reduce_in_place(net, data[at(net.rank())], pa::mean{}, TestType{},
                                                 options);
            });
            for (const auto& mine : data)
                for (const auto x : mine) REQUIRE(static_cast<float>(x) == largest);
        }
}

TEST_CASE("a sum beyond what floats hold is infinite in 16 bits, too, where it may go back so")
{
    for (const auto& options :
         {pa::call_options{}, {.chunk_bytes = 1 << 20}, {.radix = two_stages}}) {
        sim_cluster cluster(4);
        std::vector<std::vector<pa::bf16>> data(4, std::vector<pa::bf16>(1000, pa::bf16(-3e38f)));
        cluster.run([&](auto& net) -> pa::task<> {
            const pa::two_way codec{pa::int8b{}, pa::identity{}};
            co_await pa::all_reduce_in_place(net, data[at(net.rank())], pa::sum{}, codec, options);
        });
        for (const auto& mine : data)
            for (const auto x : mine)
                REQUIRE(static_cast<float>(x) == -std::numeric_limits<float>::infinity());
    }
}
