#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/blockwise.hpp>
#include <papilio/codec/integer_blocks.hpp>
#include <papilio/codec/kernels/further.hpp>
#include <papilio/codec/kernels/stochastic.hpp>
#include <papilio/codec/slice.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::detail {

template <class Format, block_kernels kernel_table::*Kernels>
Format format_of(const integer_blocks<Format, Kernels>&);

template <class Format>
inline constexpr auto stochastic_kernels =
    Format::bits == 8     ? &further_kernels::stochastic_int8b
    : Format::block == 32 ? &further_kernels::stochastic_int4b_32
                          : &further_kernels::stochastic_int4b_128;

/// Encodes a block of which `size` values count. Those beyond are zero.
template <class Format>
bool write_short_stochastic(const float* values, std::size_t size, std::uint64_t draws,
                            std::byte* packed, std::byte* scale)
{
    std::int8_t codes[Format::block];
    if (!encode_block_stochastically<Format>(values, draws, codes, scale)) return false;
    std::uint8_t each[Format::block] = {};
    for (std::size_t i = 0; i < size; ++i)
        each[i] = static_cast<std::uint8_t>(codes[i]) & ((1 << Format::bits) - 1);
    pack<Format::bits>(each, size, packed);
    return true;
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
    std::size_t encode(std::span<const V> values, mutable_bytes output) const
    {
        encode_slice(values, 0, values.size(), output);
        return bound<V>(values.size());
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        Codec{}.decode(encoded, out);
    }

    template <element V>
    void encode_slice(std::span<const V> values, std::size_t first, std::size_t n,
                      mutable_bytes output) const;

    template <element V>
    void decode_slice(bytes encoded, std::size_t first, std::size_t n, std::span<V> out) const
    {
        Codec{}.decode_slice(encoded, first, n, out);
    }

    template <element V>
    void accumulate_slice(bytes encoded, std::size_t first, std::size_t n, std::span<V> sums) const
    {
        Codec{}.accumulate_slice(encoded, first, n, sums);
    }
};

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE {

template <class Codec>
template <element V>
void stochastic<Codec>::encode_slice(std::span<const V> values, std::size_t first, std::size_t n,
                                     mutable_bytes output) const
{
    detail::check_lossy_element<V>();
    PAPILIO_CHECK(output.size() >= bound<V>(n), "the output is too small for the encoded elements");
    detail::check_slice<granule>(first, values.size(), n);
    const auto kernel = detail::chosen_further_kernels().*detail::stochastic_kernels<format>;
    const auto draws = hash(seed, round) + (begin + first) * detail::golden_ratio;
    std::byte* codes = output.data() + detail::packed_size(first, format::bits);
    std::byte* scales = output.data() + detail::packed_size(n, format::bits) + first / granule * 2;
    const bool finite = detail::write_blockwise<granule>(
        values,
        [&](const float* from, std::size_t at, std::size_t count) {
            return kernel(from, count, draws + at * detail::golden_ratio,
                          codes + detail::packed_size(at, format::bits), scales + at / granule * 2);
        },
        [&](const float* from, std::size_t at, std::size_t size) {
            return detail::write_short_stochastic<format>(
                from, size, draws + at * detail::golden_ratio,
                codes + detail::packed_size(at, format::bits), scales + at / granule * 2);
        });
    if (!finite)
        throw std::system_error(errc::not_finite,
                                std::string(format::name) + " takes only finite numbers");
}

}  // namespace papilio
