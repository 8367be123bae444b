#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/encoded_size.hpp>

#include <cstddef>
#include <cstring>
#include <span>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

/// Sends elements as they lie in memory, little-endian. A NaN or an infinity passes like any other
/// number, whoever sent it: `finite_only{identity{}}` refuses them, both ways.
struct identity {
    static constexpr codec_id id = codec_id::identity;
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
        PAPILIO_CHECK(output.size() >= values.size_bytes(),
                      "the output is too small for the encoded elements");
        if (!values.empty()) std::memcpy(output.data(), values.data(), values.size_bytes());
        return values.size_bytes();
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        detail::check_encoded_size("identity", encoded, out.size_bytes());
        if (!out.empty()) std::memcpy(out.data(), encoded.data(), encoded.size());
    }
};

}  // namespace papilio
