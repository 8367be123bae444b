#include <papilio/collective/engine/reduce_slice.hpp>

#include "op/contributions.hpp"

#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/op.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <tuple>

using namespace papilio;
using namespace papilio::op_testing;

namespace {

using encoded_versions = std::vector<std::vector<std::byte>>;

/// All versions decoded, reduced and encoded as wholes.
template <class V, class Op, class Codec>
std::vector<std::byte> reduced_at_once(Op op, Codec codec, const encoded_versions& versions,
                                       const std::vector<double>& weights, std::size_t n)
{
    contributions_of<V> decoded;
    for (const auto& version : versions)
        codec.decode(bytes(version), std::span(decoded.emplace_back(n)));
    const auto result = reduce(op, decoded, weights);
    std::vector<std::byte> output(codec.template bound<V>(n));
    codec.encode(std::span<const V>(result), mutable_bytes(output));
    return output;
}

template <class V, class Op, class Codec>
std::vector<std::byte> reduced_by_slices(Op op, Codec codec, const encoded_versions& versions,
                                         const std::vector<double>& weights, std::size_t n)
{
    std::vector<std::byte> output(codec.template bound<V>(n));
    detail::pooled_buffer scratch;
    std::vector<V> out(detail::slice_size<Codec::granule>);
    for (std::size_t begin = 0; begin < n; begin += out.size()) {
        const auto slice = std::span(out).first(std::min(out.size(), n - begin));
        const auto read = [&](std::size_t k, std::span<V> to, auto adds) {
            if constexpr (adds)
                codec.accumulate_slice(bytes(versions[k]), begin, n, to);
            else
                codec.decode_slice(bytes(versions[k]), begin, n, to);
        };
        detail::reduce_slice(op, std::span(weights), read, scratch, slice);
        codec.encode_slice(std::span<const V>(slice), begin, n, mutable_bytes(output));
    }
    return output;
}

template <class V, class Op, class Codec>
void check(Op op, Codec codec)
{
    for (const std::size_t count : {1u, 2u, 3u, 8u}) {
        for (const std::size_t n : {1u, 127u, 1024u, 1025u, 5000u}) {
            encoded_versions versions;
            for (const auto& version : some_versions<V>(count, n)) {
                auto& output = versions.emplace_back(codec.template bound<V>(n));
                codec.encode(std::span<const V>(version), mutable_bytes(output));
            }
            std::vector<double> weights(count);
            for (std::size_t k = 0; k < count; ++k) weights[k] = static_cast<double>(k + 1) / 3;
            CHECK(reduced_by_slices<V>(op, codec, versions, weights, n) ==
                  reduced_at_once<V>(op, codec, versions, weights, n));
        }
    }
}

}  // namespace

TEMPLATE_TEST_CASE("slice by slice, reductions give the bits of reductions at once", "", as_f16,
                   as_bf16, int8b, int4b<32>, int4b<128>)
{
    static_assert(detail::slice_size<TestType::granule> % TestType::granule == 0);
    check<float>(sum{}, TestType{});
    check<float>(mean{}, TestType{});
    check<float>(weighted_mean{}, TestType{});
    check<float>(max{}, TestType{});
    check<double>(mean{}, TestType{});
    check<double>(weighted_mean{}, TestType{});
}

TEST_CASE("sum and mean can be had from sums, and other operations cannot")
{
    static_assert(adding_operation<sum, float> && adding_operation<mean, double>);
    static_assert(!adding_operation<sum, f16> && !adding_operation<weighted_mean, float>);
    static_assert(!adding_operation<max, float>);
    SUCCEED();
}
