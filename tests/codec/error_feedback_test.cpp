#include <papilio/codec/error_feedback.hpp>

#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/fp4.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/nf4b.hpp>
#include <papilio/codec/randk.hpp>
#include <papilio/codec/sign1.hpp>
#include <papilio/codec/topk.hpp>

#include "contract/codec_contract.hpp"

#include <thread>

using namespace papilio;
using namespace papilio::codec_testing;

namespace {

constexpr std::size_t count = 1024;

/// Numbers of unlike sizes with a direction that lasts, as gradients have.
std::vector<float> gradient(papilio::random& numbers)
{
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
        values[i] = static_cast<float>(numbers.normal() + static_cast<double>(i % 7) - 3);
    return values;
}

template <class Codec, class Stored>
std::vector<std::byte> encoded_at(const error_feedback<Codec, Stored>& codec, std::size_t begin,
                                  std::span<const float> values)
{
    const auto there = detail::codec_at(codec, begin);
    std::vector<std::byte> output(there.template bound<float>(values.size()));
    output.resize(there.encode(values, output));
    return output;
}

template <class Stored>
bool same(std::span<const Stored> a, const std::vector<Stored>& b)
{
    return std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

/// Sends a thousand gradients; returns how far what was decoded lies behind what was to be sent,
/// relative to the size of one gradient, and checks that this never grows without bound.
template <class Codec, class Stored>
double distance_behind(Codec codec, double bound, residual_options options = {})
{
    papilio::random numbers(1);
    residuals<Stored> memory(count, options);
    std::vector<double> wanted(count), got(count);
    double behind = 0, size = 0;
    for (std::uint64_t round = 0; round < 1000; ++round) {
        if constexpr (requires { codec.seed; }) codec.seed = round;
        const error_feedback<Codec, Stored> feedback(memory, codec);
        const auto values = gradient(numbers);
        const auto back = decoded<float>(feedback, encoded(feedback, values), count);
        memory.commit();
        behind = size = 0;
        for (std::size_t i = 0; i < count; ++i) {
            wanted[i] += static_cast<double>(values[i]);
            got[i] += static_cast<double>(back[i]);
            behind += std::pow(wanted[i] - got[i], 2);
            size += std::pow(static_cast<double>(values[i]), 2);
        }
        REQUIRE(std::sqrt(behind / size) < bound);
    }
    return std::sqrt(behind / size);
}

}  // namespace

TEST_CASE("with error feedback a codec keeps the contract of codecs")
{
    // Nothing is committed, so that the same values give the same bytes.
    residuals<float> memory(3 * 4096 + 5);
    codec_contract<error_feedback<topk<64>>, float>(error_feedback(memory, topk<64>{}));
    codec_contract<error_feedback<nf4b>, double>(error_feedback(memory, nf4b{}));
    static_assert(error_feedback<nf4b>::id == nf4b::id);
}

TEST_CASE("what error feedback has not sent stays bounded over a thousand rounds, and all arrives")
{
    CHECK(distance_behind<nf4b, float>({}, 0.2) > 0);
    CHECK(distance_behind<fp4, float>({}, 0.2) > 0);
    distance_behind<sign1, float>({}, 5);
    distance_behind<topk<16, half_values, packed_places, 64>, float>({}, 4);
    distance_behind<topk<64, two_bit_values, rice_places, 1024>, float>({}, 15);
    distance_behind<randk<16, half_values, 64>, float>({}, 6);
}

TEST_CASE("error feedback bounds what it has not sent with 16 and with 8 bits, too")
{
    distance_behind<nf4b, bf16>({}, 1);
    distance_behind<topk<16, half_values, packed_places, 64>, bf16>({}, 6);
    distance_behind<nf4b, std::int8_t>({}, 1, {.scale = 0.01f});
}

TEST_CASE("without feedback a coarse codec falls behind for good")
{
    papilio::random numbers(1);
    double behind = 0, size = 0;
    std::vector<double> missing(count);
    for (int round = 0; round < 1000; ++round) {
        const auto values = gradient(numbers);
        const topk<16, half_values, packed_places, 64> codec;
        const auto back = decoded<float>(codec, encoded(codec, values), count);
        behind = size = 0;
        for (std::size_t i = 0; i < count; ++i) {
            missing[i] += static_cast<double>(values[i] - back[i]);
            behind += std::pow(missing[i], 2);
            size += std::pow(static_cast<double>(values[i]), 2);
        }
    }
    CHECK(std::sqrt(behind / size) > 100);
}

TEMPLATE_TEST_CASE("a round that failed leaves what error feedback remembers as it was, bit by bit",
                   "", float, bf16, std::int8_t)
{
    papilio::random numbers(2);
    residuals<TestType> memory(count, {.scale = 0.01f});
    const error_feedback<nf4b, TestType> feedback(memory);
    encoded(feedback, gradient(numbers));
    memory.commit();
    const std::vector<TestType> before(memory.values().begin(), memory.values().end());

    const auto values = gradient(numbers);
    const auto first = encoded(feedback, values);
    encoded_at(feedback, 128, std::span(values).subspan(128, 256));
    CHECK(same(memory.values(), before));
    memory.rollback();
    CHECK(same(memory.values(), before));
    CHECK(encoded(feedback, values) == first);

    auto broken = values;
    broken[700] = std::nanf("");
    CHECK_THROWS_AS(encoded(feedback, broken), std::system_error);
    memory.rollback();
    CHECK(same(memory.values(), before));
    CHECK(encoded(feedback, values) == first);
    memory.commit();
    CHECK_FALSE(same(memory.values(), before));
}

TEMPLATE_TEST_CASE("error feedback refuses what is not finite, even if its codec would let it pass",
                   "", float, bf16, std::int8_t)
{
    residuals<TestType> memory(300);
    for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
        check_not_finite(bad, error_feedback<identity, TestType>(memory));
        check_not_finite(bad, error_feedback<as_f16, TestType>(memory));
    }
    memory.commit();
    CHECK(same(memory.values(), std::vector<TestType>(300)));
}

TEST_CASE("a range may be encoded again within a round, and in pieces, with the same bytes")
{
    papilio::random numbers(3);
    residuals<float> whole(count), pieces(count);
    const error_feedback<nf4b> at_once(whole), piecewise(pieces);
    for (int round = 0; round < 3; ++round) {
        const auto values = gradient(numbers);
        encoded(at_once, values);
        for (std::size_t begin = 0; begin < count; begin += 256) {
            const auto piece = std::span<const float>(values).subspan(begin, 256);
            const auto once = encoded_at(piecewise, begin, piece);
            CHECK(encoded_at(piecewise, begin, piece) == once);
        }
        whole.commit();
        pieces.commit();
        CHECK(std::equal(whole.values().begin(), whole.values().end(), pieces.values().begin()));
    }
}

TEST_CASE("ranges may be encoded from several threads at once")
{
    papilio::random numbers(4);
    residuals<float> alone(count), shared(count);
    const error_feedback<nf4b> one(alone), many(shared);
    for (int round = 0; round < 5; ++round) {
        const auto values = gradient(numbers);
        encoded(one, values);
        std::vector<std::thread> threads;
        for (std::size_t begin = 0; begin < count; begin += 256)
            threads.emplace_back([&, begin] {
                encoded_at(many, begin, std::span<const float>(values).subspan(begin, 256));
            });
        for (auto& thread : threads) thread.join();
        alone.commit();
        shared.commit();
    }
    CHECK(std::equal(alone.values().begin(), alone.values().end(), shared.values().begin()));
}

TEST_CASE("results go back without feedback")
{
    residuals<float> memory(count);
    const error_feedback<randk<64>> feedback(memory, randk<64>{.seed = 9});
    const auto back = detail::codec_back(feedback);
    static_assert(std::same_as<decltype(back), const randk<64>>);
    CHECK(back.seed == 9);
    CHECK(detail::codec_parameters(feedback) == detail::codec_parameters(back));
    CHECK(detail::codec_at(feedback, 4096).back().begin == 4096);
    static_assert(std::same_as<decltype(detail::codec_back(nf4b{})), nf4b>);
    CHECK(detail::codec_parameters(nf4b{}) == 0);
}
