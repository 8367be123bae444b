#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/base.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

// What as_f16 and as_bf16 share.
namespace papilio::detail {

/// The base of a codec that stores each element in the two bytes of a `Half`, whose largest finite
/// value has the bits `largest`.
template <class Half, std::uint16_t largest>
struct half_codec {
    static constexpr std::size_t granule = 1;
    static constexpr bool lossless = false;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        check_lossy_element<V>();
        return n * sizeof(Half);
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes room) const
    {
        check_lossy_element<V>();
        PAPILIO_CHECK(room.size() >= bound<V>(values.size()), "no room for the encoded elements");
        for_each_tile<block_size>(values.size(), [&](std::size_t begin, auto size) {
            const V* from = values.data() + begin;
            Half block[block_size];
            for (std::size_t i = 0; i < size; ++i) block[i] = narrowed(from[i]);
            std::memcpy(room.data() + begin * sizeof(Half), block, size * sizeof(Half));
        });
        return bound<V>(values.size());
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        check_lossy_element<V>();
        if (encoded.size() != bound<V>(out.size()))
            throw std::system_error(errc::bad_message, "16-bit floats: wrong number of bytes");
        for_each_tile<block_size>(out.size(), [&](std::size_t begin, auto size) {
            Half block[block_size];
            std::memcpy(block, encoded.data() + begin * sizeof(Half), size * sizeof(Half));
            V* to = out.data() + begin;
            for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<float>(block[i]);
        });
    }

private:
    static constexpr std::size_t block_size = 128;

    /// Rounded, with finite numbers brought within what a finite `Half` can hold.
    static constexpr Half narrowed(float value) noexcept
    {
        const Half half(value);
        const auto order = std::bit_cast<std::int32_t>(value) & 0x7fffffff;
        const bool overflowed = (half.bits & 0x7fff) > largest;
        const auto excess = select(overflowed, 1, 0) & select(order < float_infinity, 1, 0);
        return std::bit_cast<Half>(static_cast<std::uint16_t>(half.bits - excess));
    }

    static constexpr Half narrowed(double value) noexcept
    {
        constexpr double limit = std::numeric_limits<float>::max();
        const auto within = std::isinf(value) ? value : std::clamp(value, -limit, limit);
        return narrowed(static_cast<float>(within));
    }
};

}  // namespace papilio::detail
