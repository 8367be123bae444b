#include <papilio/codec/two_way.hpp>

#include <papilio/base/random.hpp>
#include <papilio/codec.hpp>
#include <papilio/codec/error_feedback.hpp>
#include <papilio/codec/randk.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;

namespace {

using vectors = std::vector<std::vector<float>>;

constexpr std::size_t length = 50'000;

vectors noise(std::size_t peers)
{
    vectors data;
    for (std::size_t rank = 0; rank < peers; ++rank) {
        pa::random numbers(rank + 1);
        auto& mine = data.emplace_back(length);
        for (auto& x : mine) x = static_cast<float>(numbers.normal());
    }
    return data;
}

template <class Codec>
void through(const Codec& codec, std::span<float> values)
{
    std::vector<std::byte> output(codec.template bound<float>(values.size()));
    const auto size = codec.encode(std::span<const float>(values), output);
    codec.decode(pa::bytes(output).first(size), values);
}

/// The mean as it should be, part by part.
template <class To, class Back>
std::vector<float> expected(vectors in, const To& to, const Back& back)
{
    std::vector<float> result(length);
    for (const auto& part : pa::partition(length, in.size())) {
        const auto range = [&](std::vector<float>& v) {
            return std::span(v).subspan(part.begin, part.size);
        };
        for (auto& version : in) through(pa::detail::codec_at(to, part.begin), range(version));
        for (std::size_t i = part.begin; i < part.end(); ++i) {
            float sum = in[0][i];
            for (std::size_t k = 1; k < in.size(); ++k) sum += in[k][i];
            result[i] = sum / static_cast<float>(in.size());
        }
        through(pa::detail::codec_at(back, part.begin), range(result));
    }
    return result;
}

template <class Codec>
vectors averaged(const vectors& in, std::size_t chunk_bytes, Codec codec)
{
    pa::test::inproc_cluster cluster(static_cast<int>(in.size()));
    vectors out(in.size(), std::vector<float>(in[0].size()));
    cluster.run([&](auto& net) -> pa::task<> {
        const auto rank = static_cast<std::size_t>(net.rank());
        co_await pa::all_reduce(net, in[rank], out[rank], pa::mean{}, codec,
                                pa::call_options{.chunk_bytes = chunk_bytes});
    });
    return out;
}

template <class To, class Back>
void goes_two_ways(const To& to, const Back& back)
{
    const auto in = noise(4);
    const auto right = expected(in, to, back);
    for (const auto& mine : averaged(in, 65'536, pa::two_way{to, back})) CHECK(mine == right);
}

}  // namespace

TEST_CASE("contributions travel by one codec and results by another")
{
    goes_two_ways(pa::int4b<32>{}, pa::int8b{});
    goes_two_ways(pa::int8b{}, pa::as_f16{});
    goes_two_ways(pa::identity{}, pa::as_bf16{});
    goes_two_ways(pa::as_f16{}, pa::identity{});
    goes_two_ways(pa::topk<64>{}, pa::int8b{});
    goes_two_ways(pa::randk<64>{.seed = 5}, pa::identity{});
}

TEST_CASE("a codec that depends on the place gives the same result however the data is cut")
{
    const auto in = noise(3);
    const pa::two_way codec{pa::randk<256>{.seed = 9}, pa::identity{}};
    const auto whole = averaged(in, 1 << 20, codec);
    CHECK(averaged(in, 16'384, codec) == whole);
}

TEST_CASE("peers whose codecs differ in more than their id fail, and say so")
{
    const auto disagree = [](auto of_rank) {
        pa::test::inproc_cluster cluster(2);
        int mismatches = 0;
        std::vector<float> data(50'000, 1.f), more = data;
        cluster.run([&](auto& net) -> pa::task<> {
            try {
                co_await pa::all_reduce_in_place(net, net.rank() == 0 ? data : more, pa::sum{},
                                                 of_rank(net.rank()));
            } catch (const pa::call_error& why) {
                if (why.code() == pa::errc::mismatch) ++mismatches;
            }
        });
        return mismatches;
    };
    CHECK(disagree([](int rank) {
              return pa::randk<64>{.seed = static_cast<std::uint64_t>(rank)};
          }) == 2);
}

TEST_CASE("with error feedback, what is sent over many rounds adds up to what was meant")
{
    const auto in = noise(2);
    std::vector<pa::residuals<float>> memory(2, pa::residuals<float>(length));
    std::vector<double> sum(length);
    constexpr int rounds = 40;
    for (int round = 0; round < rounds; ++round) {
        pa::test::inproc_cluster cluster(2);
        vectors out(2, std::vector<float>(length));
        cluster.run([&](auto& net) -> pa::task<> {
            const auto rank = static_cast<std::size_t>(net.rank());
            const pa::two_way codec{pa::error_feedback<pa::int4b<32>>(memory[rank]),
                                    pa::identity{}};
            co_await pa::all_reduce(net, in[rank], out[rank], pa::mean{}, codec);
            memory[rank].commit();
        });
        CHECK(out[0] == out[1]);
        for (std::size_t i = 0; i < length; ++i) sum[i] += out[0][i];
    }
    double worst = 0;
    for (std::size_t i = 0; i < length; ++i)
        worst = std::max(worst, std::abs(sum[i] - rounds * (in[0][i] + in[1][i]) / 2.0));
    CHECK(worst < 1);  // what is still to be sent, and not forty times an error
}
