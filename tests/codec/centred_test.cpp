#include <papilio/codec/centred.hpp>

#include "contract/codec_contract.hpp"

#include <papilio/codec.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>

#include <support/clusters.hpp>

using namespace papilio;
using namespace papilio::codec_testing;

namespace {

constexpr float largest_float = std::numeric_limits<float>::max();

std::vector<float> around_one(std::size_t n, double deviation, std::uint64_t seed)
{
    papilio::random numbers(seed);
    std::vector<float> values(n);
    for (auto& x : values) x = static_cast<float>(1 + deviation * numbers.normal());
    return values;
}

double mean_of(const std::vector<float>& values)
{
    double sum = 0;
    for (const float x : values) sum += static_cast<double>(x);
    return sum / static_cast<double>(values.size());
}

/// How far the mean of what `peers` peers end with is from the mean of what they began with.
template <class Codec>
double bias_of_all_reduce(int peers, const Codec& codec)
{
    constexpr std::size_t count = 50'000;
    std::vector<std::vector<float>> data;
    double exact = 0;
    for (int rank = 0; rank < peers; ++rank) {
        data.push_back(around_one(count, 0.3, static_cast<std::uint64_t>(rank) + 1));
        exact += mean_of(data.back()) / peers;
    }
    test::sim_cluster cluster(peers);
    cluster.run([&](auto& net) -> task<> {
        auto& mine = data[static_cast<std::size_t>(net.rank())];
        co_await all_reduce_in_place(net, mine, mean{}, codec);
    });
    return mean_of(data[0]) - exact;
}

}  // namespace

TEMPLATE_TEST_CASE("centred codecs keep the contract of codecs", "", float, double)
{
    codec_contract<centred<nf4b>, TestType>();
    codec_contract<centred<fp4>, TestType>();
    codec_contract<centred<int4b<32>>, TestType>();
    codec_contract<centred<as_f16>, TestType>();
    codec_contract<centred<topk<8, two_bit_values, rice_places, 128>>, TestType>();
    codec_contract<centred<randk<64>>, TestType>({randk<64>{.seed = 3}});
    codec_contract<centred<stochastic<int8b>>, TestType>({stochastic<int8b>{.seed = 4}});
}

TEST_CASE("a centred codec adds one float per 1024 elements behind the codec's bytes")
{
    const centred<nf4b> codec{};
    CHECK(codec.bound<float>(0) == 0);
    CHECK(codec.bound<float>(1) == 3 + 4);
    CHECK(codec.bound<double>(1024) == nf4b::bound<double>(1024) + 4);
    CHECK(codec.bound<float>(1025) == nf4b::bound<float>(1025) + 8);
    CHECK(centred<topk<64>>::granule == 4096);
    CHECK(encoded(codec, std::vector<float>{2, 1, 0}) ==
          octets({0x0f, 0x07, 0x80, 0x3f, 0, 0, 0x80, 0x3f}));
    CHECK(decoded<float>(codec, octets({0x0f, 0x07, 0x80, 0x3f, 0, 0, 0x80, 0x3f}), 3) ==
          std::vector<float>{2, 1, 0});
}

TEST_CASE("a centred codec adds elements in an order that every machine keeps")
{
    const std::vector<float> values{0x1p60f, 1, 1, 1, 1, 1, 1, 1, -0x1p60f};
    const auto bytes = encoded(centred<nf4b>{}, values);
    CHECK(load<float>(bytes.data() + bytes.size() - sizeof(float)) == 7.0f / 9);
}

TEST_CASE("a centred codec keeps the mean of every 1024 elements, whatever it is")
{
    for_each_codec(codec_list<nf4b, fp4, fp8<e5m2>, int4b<32>, int4b<128>, int8b, sign1, as_bf16>{},
                   [](auto codec) {
                       CAPTURE(name(codec.id));
                       for (const double deviation : {0.01, 0.1, 0.3, 1.0, 30.0}) {
                           const auto values = around_one(1024, deviation, 5);
                           const centred by{codec};
                           const auto back = decoded<float>(by, encoded(by, values), 1024);
                           const double off = std::abs(mean_of(back) - mean_of(values));
                           CHECK(off < 0x1p-23 * (1 + deviation));  // floats are rounded
                       }
                   });
}

TEST_CASE("numbers that are all alike pass a centred codec unchanged")
{
    for (const float x : {0.7f, -1e-30f, 3e38f, 0.0f}) {
        const std::vector<float> values(1500, x);
        CHECK(decoded<float>(centred<fp4>{}, encoded(centred<fp4>{}, values), 1500) == values);
    }
}

TEST_CASE("centred codecs lose less of numbers with an offset, and no more of others")
{
    const auto values = around_one(1 << 20, 0.3, 6);
    CHECK(relative_error(nf4b{}, values) == Approx(6.4e-3).epsilon(0.05));
    CHECK(relative_error(centred<nf4b>{}, values) == Approx(7.0e-4).epsilon(0.05));
    CHECK(relative_error(fp4{}, values) == Approx(1.07e-2).epsilon(0.05));
    CHECK(relative_error(centred<fp4>{}, values) == Approx(7.4e-4).epsilon(0.05));
}

TEST_CASE("a codec's bias does not shrink with the number of peers, and a centred one has none")
{
    for (const int peers : {2, 16}) {
        CAPTURE(peers);
        CHECK(std::abs(bias_of_all_reduce(peers, nf4b{})) > 1e-2);
        CHECK(std::abs(bias_of_all_reduce(peers, fp4{})) > 1e-3);
        CHECK(std::abs(bias_of_all_reduce(peers, centred{nf4b{}})) < 1e-7);
        CHECK(std::abs(bias_of_all_reduce(peers, centred{fp4{}})) < 1e-7);
    }
}

TEST_CASE("centred codecs refuse what is not finite, both ways")
{
    for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
        check_not_finite<centred<nf4b>>(bad);
        check_not_finite<centred<as_f16>>(bad);
        auto bytes = encoded(centred<nf4b>{}, std::vector<float>(1025, 1.0f));
        store(bytes.data() + bytes.size() - sizeof(float), bad);
        CHECK(refuses<float>(centred<nf4b>{}, bytes, 1025));
    }
    CHECK_THROWS_AS(encoded(centred<as_f16>{}, std::vector<double>{1e300, 1}), std::system_error);
}

TEST_CASE("what a centred codec decodes beyond float's range becomes the largest float")
{
    auto bytes = encoded(centred<nf4b>{}, std::vector<float>{0x1.8p127f, -0x1.8p127f});
    store(bytes.data() + bytes.size() - sizeof(float), largest_float);
    const auto back = decoded<float>(centred<nf4b>{}, bytes, 2);
    CHECK(back[0] == largest_float);
    CHECK(std::abs(back[1]) < largest_float);
}

TEST_CASE("a centred codec is centred on its way back, too, unless that is lossless")
{
    static_assert(std::same_as<detail::codec_back_t<centred<nf4b>>, centred<nf4b>>);
    static_assert(std::same_as<detail::codec_back_t<centred<stochastic<int8b>>>, centred<int8b>>);
    static_assert(
        std::same_as<detail::codec_back_t<centred<two_way<nf4b, int8b>>>, centred<int8b>>);
    static_assert(std::same_as<detail::codec_back_t<centred<two_way<nf4b, identity>>>, identity>);
    CHECK(centred{nf4b{}}.parameters() != detail::codec_parameters(nf4b{}));
    CHECK(centred{nf4b{}}.parameters() != finite_only{nf4b{}}.parameters());
    CHECK(centred{randk<64>{.seed = 1}}.parameters() != centred{randk<64>{.seed = 2}}.parameters());
    CHECK(centred{randk<64>{.seed = 1}}.at(8192).codec.begin == 8192);
}

TEST_CASE("a peer whose codec is not centred as the others' is found out")
{
    for (const std::size_t count : {100u, 50'000u}) {
        std::vector<std::vector<float>> data(2, std::vector<float>(count, 1.f));
        int mismatches = 0;
        test::sim_cluster cluster(2);
        cluster.run([&](auto& net) -> task<> {
            auto& mine = data[static_cast<std::size_t>(net.rank())];
            try {
                if (net.rank() == 0)
                    co_await all_reduce_in_place(net, mine, mean{}, nf4b{});
                else
                    co_await all_reduce_in_place(net, mine, mean{}, centred{nf4b{}});
            } catch (const call_error& why) {
                mismatches += why.code() == errc::mismatch;
            }
        });
        CHECK(mismatches == 2);
    }
}

TEMPLATE_TEST_CASE("elements of any floating type are averaged by a centred codec", "", f16, bf16,
                   float, double)
{
    std::vector<std::vector<TestType>> data(3);
    for (std::size_t rank = 0; rank < 3; ++rank)
        for (const float x : around_one(5000, 0.1, rank + 1))
            data[rank].push_back(static_cast<TestType>(x));
    double exact = 0, found = 0;
    for (const auto& values : data)
        for (const auto x : values) exact += static_cast<double>(static_cast<float>(x)) / 15000;
    test::sim_cluster cluster(3);
    cluster.run([&](auto& net) -> task<> {
        auto& mine = data[static_cast<std::size_t>(net.rank())];
        co_await all_reduce_in_place(net, mine, mean{}, centred{nf4b{}});
    });
    for (const auto x : data[0]) found += static_cast<double>(static_cast<float>(x)) / 5000;
    CHECK(found == Approx(exact).epsilon(2e-4));  // a bf16 rounds by up to 4e-3
}
