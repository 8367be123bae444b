#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/slice.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <system_error>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

/// Sends integers as `Narrow`, std::int8_t or std::int16_t, for those who know that they fit:
/// `two_way{narrow<std::int8_t>{}, identity{}}` sends small numbers, and brings back what may be a
/// large sum. `encode` throws `errc::too_large` for a number that does not fit, and `decode`
/// `errc::bad_message` for a negative one where integers are unsigned.
template <class Narrow>
struct narrow {
    static_assert(detail::is_one_of<Narrow, std::int8_t, std::int16_t>,
                  "integers travel as std::int8_t or std::int16_t, or by identity{}");

    static constexpr codec_id id = sizeof(Narrow) == 1 ? codec_id::narrow8 : codec_id::narrow16;
    static constexpr std::size_t granule = 1;
    static constexpr bool lossless = true;

    template <integer_element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        return n * sizeof(Narrow);
    }

    template <integer_element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const
    {
        encode_slice(values, 0, values.size(), output);
        return bound<V>(values.size());
    }

    template <integer_element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        decode_slice(encoded, 0, out.size(), out);
    }

    template <integer_element V>
    void encode_slice(std::span<const V> values, std::size_t begin, std::size_t n,
                      mutable_bytes output) const
    {
        PAPILIO_CHECK(output.size() >= bound<V>(n), "no room for the encoded elements");
        detail::check_slice<granule>(begin, values.size(), n);
        std::byte* to = output.data() + begin * sizeof(Narrow);
        bool fit = true;
        detail::for_each_tile<tile>(values.size(), [&](std::size_t at, auto size) {
            Narrow small[tile];
            V lost = 0;
            for (std::size_t i = 0; i < size; ++i) {
                small[i] = static_cast<Narrow>(values[at + i]);
                lost = static_cast<V>(lost | (static_cast<V>(small[i]) ^ values[at + i]));
                lost = static_cast<V>(lost | impossible<V>(small[i]));
            }
            fit &= lost == 0;
            std::memcpy(to + at * sizeof(Narrow), small, size * sizeof(Narrow));
        });
        if (!fit)
            throw std::system_error(errc::too_large,
                                    "an integer that does not fit into the "
                                    "narrow type it is to travel as");
    }

    template <integer_element V>
    void decode_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out) const
    {
        read(encoded, begin, n, out, [](V, V x) { return x; });
    }

    template <integer_element V>
    void accumulate_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> sums) const
    {
        read(encoded, begin, n, sums, [](V sum, V x) {
            return static_cast<V>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(x));
        });
    }

private:
    static constexpr std::size_t tile = 256;

    /// 1 for a negative number where integers are unsigned: extended, its sign would make the
    /// largest of them.
    template <class V>
    static constexpr int impossible(Narrow small) noexcept
    {
        return std::is_unsigned_v<V> && small < 0 ? 1 : 0;
    }

    template <class V, class Combine>
    static void read(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out,
                     Combine combine)
    {
        if (encoded.size() != bound<V>(n))
            throw std::system_error(errc::bad_message, "narrow integers: wrong number of bytes");
        detail::check_slice<granule>(begin, out.size(), n);
        const std::byte* from = encoded.data() + begin * sizeof(Narrow);
        detail::for_each_tile<tile>(out.size(), [&](std::size_t at, auto size) {
            Narrow small[tile];
            std::memcpy(small, from + at * sizeof(Narrow), size * sizeof(Narrow));
            V* to = out.data() + at;
            int refused = 0;
            for (std::size_t i = 0; i < size; ++i) {
                refused |= impossible<V>(small[i]);
                to[i] = combine(to[i], static_cast<V>(small[i]));
            }
            if (refused != 0)
                throw std::system_error(errc::bad_message, "narrow integers: a negative one");
        });
    }
};

}  // namespace papilio
