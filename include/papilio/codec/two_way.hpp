#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/base.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace papilio::inline PAPILIO_MODE {

/// Sends contributions by one codec and results by another: `two_way{topk<64>{}, int8b{}}` sends
/// the largest elements, and brings back the sum of many sparse contributions, which is sparse no
/// more; `two_way{int4b<32>{}, int8b{}}` spends its bits where all peers feel them, for the error
/// of the way back does not average out. Results travel as they do in calls by `Back` alone.
template <class To, class Back>
struct two_way {
    static constexpr codec_id id = To::id;
    static constexpr std::size_t granule = To::granule;
    static constexpr bool lossless = To::lossless && Back::lossless;

    To to = {};
    Back from = {};

    constexpr auto back() const { return detail::codec_back(from); }
    constexpr std::uint64_t parameters() const { return detail::codec_parameters(to); }
    constexpr two_way at(std::size_t begin) const { return {detail::codec_at(to, begin), from}; }

    template <element V>
    constexpr std::size_t bound(std::size_t n) const
    {
        return to.template bound<V>(n);
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const
    {
        return to.encode(values, output);
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        to.decode(encoded, out);
    }

    template <element V>
    requires sliced_codec<To, V>
    void encode_slice(std::span<const V> values, std::size_t begin, std::size_t n,
                      mutable_bytes output) const
    {
        to.encode_slice(values, begin, n, output);
    }

    template <element V>
    requires sliced_codec<To, V>
    void decode_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out) const
    {
        to.decode_slice(encoded, begin, n, out);
    }

    template <element V>
    requires sliced_codec<To, V>
    void accumulate_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> sums) const
    {
        to.accumulate_slice(encoded, begin, n, sums);
    }
};

}  // namespace papilio
