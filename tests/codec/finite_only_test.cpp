#include <papilio/codec/finite_only.hpp>

#include "contract/codec_contract.hpp"

#include <papilio/codec.hpp>

using namespace papilio;
using namespace papilio::codec_testing;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

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
    std::size_t encode(std::span<const V> values, mutable_bytes output) const
    {
        encode_slice(values, 0, values.size(), output);
        return bound<V>(values.size());
    }
    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        decode_slice(encoded, 0, out.size(), out);
    }
    template <element V>
    void encode_slice(std::span<const V> values, std::size_t begin, std::size_t,
                      mutable_bytes output) const
    {
        std::memcpy(output.data() + begin * sizeof(V), values.data(), values.size_bytes());
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

/// A number that is not finite is refused, and finite ones are encoded as by the codec itself.
template <class Codec>
void check_refusal(const Codec& codec)
{
    std::vector<float> values(5000, 1.5f);
    CHECK(encoded(finite_only{codec}, values) == encoded(codec, values));
    for (const float bad : {inf, -inf, std::nanf("")}) {
        values[4321] = bad;
        CHECK_THROWS_AS(encoded(finite_only{codec}, values), std::system_error);
    }
}

}  // namespace

TEST_CASE("finite_only refuses numbers that are not finite with every codec")
{
    for_each_codec(all_codecs{}, [](auto codec) { check_refusal(codec); });
    check_refusal(stochastic<int8b>{.seed = 4});
    check_refusal(two_way{topk<64>{}, int8b{}});
}

TEST_CASE("finite_only keeps the contract of codecs, and refuses with the codec's own error")
{
    codec_contract<finite_only<int8b>, float>({int8b{}});
    codec_contract<finite_only<as_f16>, double>({as_f16{}});
    check_not_finite(inf, finite_only{as_f16{}});
    check_not_finite(std::nanf(""), finite_only{int4b<32>{}});
}

TEMPLATE_TEST_CASE("what arrives and is not finite is refused", "", float, double, f16)
{
    for (const float bad : {inf, -inf, std::nanf("")}) {
        std::vector<TestType> values(300, static_cast<TestType>(1.0f));
        const auto honest = encoded(identity{}, values);
        values[299] = static_cast<TestType>(bad);
        const auto hostile = encoded(identity{}, values);
        CHECK(refuses<TestType>(finite_only{identity{}}, hostile, 300));
        CHECK_FALSE(refuses<TestType>(finite_only{identity{}}, honest, 300));
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

TEST_CASE("a double beyond float's range is not finite")
{
    CHECK_THROWS_AS(encoded(finite_only{as_bf16{}}, std::vector<double>{1e39, 1}),
                    std::system_error);
}

TEST_CASE("finite_only asks the same of the way back, and of every place")
{
    const finite_only codec{two_way{randk<64>{.seed = 5}, int8b{}}};
    static_assert(std::same_as<detail::codec_back_t<decltype(codec)>, finite_only<int8b>>);
    CHECK(codec.at(8192).codec.to.begin == 8192);
    CHECK(codec.parameters() != codec.codec.parameters());
}
