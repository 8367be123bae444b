#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/finite.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// `Codec`, which refuses numbers that are not finite as floats: `encode` throws
/// `errc::not_finite`, and `decode` throws `errc::bad_message`, which names the peer that sent one.
/// `finite_only{identity{}}` is the usual one, since `identity` passes a NaN or an infinity on,
/// while the lossy codecs of the library refuse them anyway; `as_f16` and `as_bf16` take a finite
/// double beyond float's range, which this refuses. All peers must wrap their codec alike: a peer
/// that does not is found out. Id, bytes and decoded values are those of `Codec`.
template <class Codec>
struct finite_only {
    static constexpr codec_id id = Codec::id;
    static constexpr std::size_t granule = Codec::granule;
    static constexpr bool lossless = Codec::lossless;

    Codec codec;

    constexpr auto back() const { return around(detail::codec_back(codec)); }
    constexpr std::uint64_t parameters() const
    {
        return hash(detail::codec_parameters(codec), std::uint8_t{0});
    }
    constexpr auto at(std::size_t begin) const { return around(detail::codec_at(codec, begin)); }

    template <element V>
    constexpr std::size_t bound(std::size_t n) const
    {
        return codec.template bound<V>(n);
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const
    {
        check(values, errc::not_finite, "only finite numbers can be encoded");
        return codec.encode(values, output);
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        codec.decode(encoded, out);
        check(std::span<const V>(out), errc::bad_message, "a number received is not finite");
    }

    template <element V>
    requires sliced_codec<Codec, V>
    void encode_slice(std::span<const V> values, std::size_t begin, std::size_t n,
                      mutable_bytes output) const
    {
        check(values, errc::not_finite, "only finite numbers can be encoded");
        codec.encode_slice(values, begin, n, output);
    }

    template <element V>
    requires sliced_codec<Codec, V>
    void decode_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out) const
    {
        codec.decode_slice(encoded, begin, n, out);
        check(std::span<const V>(out), errc::bad_message, "a number received is not finite");
    }

    template <element V>
    requires sliced_codec<Codec, V>
    void accumulate_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> sums) const
    {
        // Sums of finite numbers may be infinite, so the numbers are checked before they are added.
        std::vector<V> decoded(sums.size());
        decode_slice(encoded, begin, n, std::span<V>(decoded));
        for (std::size_t i = 0; i < sums.size(); ++i)
            sums[i] = static_cast<V>(sums[i] + decoded[i]);
    }

private:
    template <class Other>
    static constexpr finite_only<Other> around(Other other)
    {
        return {other};
    }

    template <class V>
    static void check(std::span<const V> values, errc code, const char* text)
    {
        if constexpr (floating_element<V>)
            if (!detail::all_finite(values)) throw std::system_error(code, text);
    }
};

template <class Codec>
finite_only(Codec) -> finite_only<Codec>;

}  // namespace papilio
