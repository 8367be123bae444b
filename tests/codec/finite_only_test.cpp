#include <papilio/codec/finite_only.hpp>

#include "contract/codec_contract.hpp"

#include <papilio/codec.hpp>

using namespace papilio;
using namespace papilio::codec_testing;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float most = 0x1.fep127f;

/// Numbers of which every third is not finite, and what the policies make of them.
struct damaged {
    std::vector<float> values, zeroed, saturated;

    damaged()
    {
        papilio::random numbers(1);
        for (int i = 0; i < 5000; ++i) {
            const auto x = static_cast<float>(numbers.normal());
            const float bad[] = {inf, -inf, std::nanf("")}, full[] = {most, -most, 0};
            const auto kind = numbers.below(9);
            values.push_back(kind < 3 ? bad[kind] : x);
            zeroed.push_back(kind < 3 ? 0 : x);
            saturated.push_back(kind < 3 ? full[kind] : x);
        }
    }
};

/// A user's own, which looks at nothing.
struct plain {
    static constexpr codec_id id = codec_id::first_user;
    static constexpr std::size_t granule = 1;
    static constexpr bool lossless = true;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        return n * sizeof(V);
    }
    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes room) const
    {
        encode_slice(values, 0, values.size(), room);
        return bound<V>(values.size());
    }
    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        decode_slice(encoded, 0, out.size(), out);
    }
    template <element V>
    void encode_slice(std::span<const V> values, std::size_t begin, std::size_t,
                      mutable_bytes room) const
    {
        std::memcpy(room.data() + begin * sizeof(V), values.data(), values.size_bytes());
    }
    template <element V>
    void decode_slice(bytes encoded, std::size_t begin, std::size_t, std::span<V> out) const
    {
        std::memcpy(out.data(), encoded.data() + begin * sizeof(V), out.size_bytes());
    }
    template <element V>
    void accumulate_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> sums) const
    {
        std::vector<V> decoded(sums.size());
        decode_slice(encoded, begin, n, std::span<V>(decoded));
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += decoded[i];
    }
};

template <class Codec>
void check_policies(const Codec& codec)
{
    const damaged input;
    std::atomic<bool> met = false;
    CHECK_THROWS_AS(encoded(finite_only{codec}, input.values), std::system_error);
    CHECK(encoded(finite_only{codec, non_finite::zero, &met}, input.values) ==
          encoded(codec, input.zeroed));
    CHECK(met);
    CHECK(encoded(finite_only{codec, non_finite::saturate}, input.values) ==
          encoded(codec, input.saturated));

    met = false;
    for (const auto policy : {non_finite::error, non_finite::zero, non_finite::saturate})
        CHECK(encoded(finite_only{codec, policy, &met}, input.zeroed) ==
              encoded(codec, input.zeroed));
    CHECK_FALSE(met);
}

}  // namespace

TEST_CASE("every codec takes numbers that are not finite as it is told to")
{
    check_policies(identity{});
    check_policies(as_f16{});
    check_policies(as_bf16{});
    check_policies(f16b{});
    check_policies(int8b{});
    check_policies(int4b<32>{});
    check_policies(int4b<128>{});
    check_policies(nf4b{});
    check_policies(fp8<e4m3>{});
    check_policies(fp8<e5m2>{});
    check_policies(fp4{});
    check_policies(sign1{});
    check_policies(topk<64>{});
    check_policies(randk<64>{.seed = 3});
    check_policies(stochastic<int8b>{.seed = 4});
    check_policies(two_way{topk<64>{}, int8b{}});
    check_policies(hivemind::meanstd16{});
    check_policies(hivemind::float16{});
    check_policies(hivemind::quantile8{});
    check_policies(hivemind::uniform8{});
    check_policies(hivemind::blockwise8{});
}

TEST_CASE("finite_only keeps the contract of codecs, and refuses with the codec's own error")
{
    codec_contract<finite_only<int8b>, float>({int8b{}, non_finite::zero});
    codec_contract<finite_only<as_f16>, double>({as_f16{}, non_finite::saturate});
    check_not_finite(inf, finite_only{as_f16{}});
    check_not_finite(std::nanf(""), finite_only{int4b<32>{}});
}

TEMPLATE_TEST_CASE("what arrives and is not finite is refused, under every policy", "", float,
                   double, f16)
{
    for (const float bad : {inf, -inf, std::nanf("")}) {
        std::vector<TestType> values(300, static_cast<TestType>(1.0f));
        const auto honest = encoded(identity{}, values);
        values[299] = static_cast<TestType>(bad);
        const auto hostile = encoded(identity{}, values);
        for (const auto policy : {non_finite::error, non_finite::zero, non_finite::saturate}) {
            CHECK(refuses<TestType>(finite_only{identity{}, policy}, hostile, 300));
            CHECK_FALSE(refuses<TestType>(finite_only{identity{}, policy}, honest, 300));
        }
    }
}

TEST_CASE("finite_only finds out whoever sends what is not finite by a user's sliced codec")
{
    const finite_only<plain> codec{};
    std::vector<float> values{1, 2, 3, inf}, sums{4, 5};
    const auto message = encoded(plain{}, values);
    codec.accumulate_slice(bytes(message), 0, 4, std::span(sums));
    CHECK(sums == std::vector<float>{5, 7});
    CHECK_THROWS_AS(codec.accumulate_slice(bytes(message), 2, 4, std::span(sums)),
                    std::system_error);
    CHECK_THROWS_AS(codec.decode_slice(bytes(message), 2, 4, std::span(sums)), std::system_error);
    CHECK_NOTHROW(codec.decode_slice(bytes(message), 0, 4, std::span(sums)));
}

TEST_CASE("a double beyond float's range is not finite, and a half saturates at its own largest")
{
    const std::vector<double> values{1e39, -1e300, 1};
    const auto back = decoded<double>(
        as_bf16{}, encoded(finite_only{as_bf16{}, non_finite::saturate}, values), 3);
    CHECK(back == std::vector<double>{most, -most, 1});
    const std::vector<f16> halves{f16(inf), f16(-inf), f16(1)};
    const auto same =
        decoded<f16>(identity{}, encoded(finite_only{identity{}, non_finite::saturate}, halves), 3);
    CHECK(static_cast<float>(same[0]) == 65504);
    CHECK(static_cast<float>(same[1]) == -65504);
    CHECK(static_cast<float>(same[2]) == 1);
}

TEST_CASE("finite_only asks the same of the way back, and of every place")
{
    const finite_only codec{two_way{randk<64>{.seed = 5}, int8b{}}, non_finite::zero};
    static_assert(std::same_as<detail::codec_back_t<decltype(codec)>, finite_only<int8b>>);
    CHECK(codec.back().policy == non_finite::zero);
    CHECK(codec.at(8192).codec.to.begin == 8192);
    CHECK(codec.parameters() != finite_only{codec.codec, non_finite::saturate}.parameters());
}

TEST_CASE("around error feedback, what is not finite never reaches a residual")
{
    residuals<float> memory(300);
    const finite_only codec{error_feedback(memory, int8b{}), non_finite::zero};
    std::vector<float> values(300, 1.0f);
    values[7] = std::nanf("");
    encoded(codec, values);
    memory.commit();
    for (const float x : memory.values()) CHECK(std::isfinite(x));
}
