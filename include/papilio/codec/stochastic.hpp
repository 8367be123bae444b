#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/block_codec.hpp>
#include <papilio/codec/integer_blocks.hpp>
#include <papilio/codec/kernels/scalar.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace papilio::inline PAPILIO_MODE::detail {

template <class Format, block_kernels kernel_table::*Kernels>
Format format_of(const integer_blocks<Format, Kernels>&);

/// Each code is one of the two integers beside the quotient, the nearer one the more often: in
/// steps of 2^-15, so that its mean is the quotient to within 2^-16. `draw(i)` has 15 random bits.
template <class Format, class Draw>
bool encode_block_stochastically(const float* values, std::int8_t* codes, std::byte* scale,
                                 Draw draw)
{
    const auto largest = largest_magnitude<Format::block>(values);
    if (largest >= float_infinity) return false;
    const auto by = scale_of<Format>(largest);
    store(scale, by.bits);
    float scaled[Format::block];
    for (std::size_t i = 0; i < Format::block; ++i) scaled[i] = values[i] * by.inverse;
    round_now(scaled);

    // No product exceeds 127 * 2^15, so that adding 1.5 * 2^23 rounds it to an integer. Where the
    // largest code would leave float's range, the one below is the last.
    constexpr float rounder = 0x1.8p23f;
    const auto last =
        by.bits > Format::largest_full_scale ? Format::min_largest_code : Format::largest_code;
    for (std::size_t i = 0; i < Format::block; ++i) {
        const auto fixed = std::bit_cast<std::int32_t>(scaled[i] * 0x1p15f + rounder) -
                           std::bit_cast<std::int32_t>(rounder);
        codes[i] = static_cast<std::int8_t>(std::clamp((fixed + draw(i)) >> 15, -last, last));
    }
    return true;
}

/// Writes the first `size` codes of a block as int8b or int4b do; returns how many bytes they take.
template <std::size_t Bits>
std::size_t put_codes(const std::int8_t* codes, std::size_t size, std::byte* to)
{
    if constexpr (Bits == 8) {
        std::memcpy(to, codes, size);
    } else {
        std::uint8_t nibbles[128] = {};
        for (std::size_t i = 0; i < size; ++i)
            nibbles[i] = static_cast<std::uint8_t>(codes[i]) & 15;
        pack_nibbles(nibbles, size, to);
    }
    return packed_size(size, Bits);
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

/// `Codec`, an `int8b` or `int4b`, with stochastic rounding: what is decoded is on average what was
/// encoded, for twice the squared error. Which way an element is rounded depends on `seed`,
/// `round` and its place in the whole vector alone, so that the same call gives the same bytes
/// again. Peers should have seeds of their own, lest their errors add up. After D. Alistarh et al.,
/// "QSGD" (2017).
///
/// Bytes, id and what is thrown are Codec's, and so is what decodes: peers may round as they like.
/// Results, which have to be the same on every peer, go back by Codec itself, to nearest.
template <class Codec>
struct stochastic {
    using format = decltype(detail::format_of(Codec{}));
    static constexpr codec_id id = Codec::id;
    static constexpr std::size_t granule = Codec::granule;
    static constexpr bool lossless = false;

    std::uint64_t seed = 0;
    std::uint64_t round = 0;
    std::uint64_t begin = 0;  ///< where in the whole vector the runs begin; see `at`

    constexpr stochastic at(std::size_t element) const noexcept { return {seed, round, element}; }
    static constexpr Codec back() noexcept { return {}; }

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        return Codec::template bound<V>(n);
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const;

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        Codec{}.decode(encoded, out);
    }
};

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE {

template <class Codec>
template <element V>
std::size_t stochastic<Codec>::encode(std::span<const V> values, mutable_bytes output) const
{
    detail::check_lossy_element<V>();
    const auto n = values.size();
    PAPILIO_CHECK(output.size() >= bound<V>(n), "the output is too small for the encoded elements");
    const auto stream = hash(seed, round);
    bool taken = true;
    std::byte* codes_to = output.data();
    std::byte* scale = output.data() + detail::packed_size(n, format::bits);
    detail::for_each_tile<granule>(n, [&](std::size_t first, auto size) {
        const auto draw = [stream, place = begin + first](std::size_t i) {
            return static_cast<std::int32_t>(
                detail::scramble(stream + (place + i) * detail::golden_ratio) >> 49);
        };
        float block[granule] = {};
        for (std::size_t i = 0; i < size; ++i) block[i] = static_cast<float>(values[first + i]);
        std::int8_t codes[granule];
        taken &= detail::encode_block_stochastically<format>(block, codes, scale, draw);
        codes_to += detail::put_codes<format::bits>(codes, size, codes_to);
        scale += sizeof(std::uint16_t);
    });
    if (!taken)
        throw std::system_error(errc::not_finite,
                                std::string(format::name) + " takes only finite numbers");
    return bound<V>(n);
}

}  // namespace papilio
