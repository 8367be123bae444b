#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/encoded_size.hpp>
#include <papilio/codec/finite.hpp>
#include <papilio/codec/sparse_values.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

/// Sends `K` of every `Chunk` elements, drawn anew for each chunk from the seed and the chunk's
/// place in the whole vector; the others decode as zeros. Who knows the seed knows the places, so
/// that only values travel: 0.25 bits per element for 64 of 4096 as `half_values`. Peers with one
/// seed send the same places, and their mean is as sparse as each of them. Change the seed from
/// round to round, by `hash(seed, round)` say, or the same few elements are sent again and again.
///
/// What was sent decodes as it was: beneath `error_feedback` all gets through in the end, without
/// it multiply by Chunk / K for a mean that is right on average. A short last chunk sends its
/// share, rounded up. `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond
/// float's range, sent or not; a double is first rounded to float. What `decode` accepts is finite.
template <std::size_t K, class Values = half_values, std::size_t Chunk = 4096>
struct randk {
    static_assert(K > 0 && K <= Chunk && Chunk >= 64 && std::has_single_bit(Chunk) &&
                      Chunk <= 65536,
                  "randk<K, Values, Chunk> sends K of Chunk elements, a power of two from 64 on");

    static constexpr codec_id id = codec_id::randk;
    static constexpr std::size_t granule = Chunk;
    static constexpr bool lossless = false;

    std::uint64_t seed = 0;
    std::uint64_t begin = 0;  ///< where in the whole vector the runs begin; see `at`

    constexpr randk at(std::size_t element) const noexcept { return {seed, element}; }

    constexpr std::uint64_t parameters() const noexcept
    {
        return hash(seed, K, Values::code, Chunk);
    }

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        detail::check_lossy_element<V>();
        return n / Chunk * Values::size(K) + (n % Chunk > 0 ? Values::size(share(n % Chunk)) : 0);
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const
    {
        detail::check_lossy_element<V>();
        PAPILIO_CHECK(output.size() >= bound<V>(values.size()),
                      "the output is too small for the encoded elements");
        if (!detail::all_finite(values))
            throw std::system_error(errc::not_finite, "randk takes only finite numbers");
        std::byte* to = output.data();
        for_each_chunk(values.size(), [&](std::size_t first, std::size_t size) {
            std::uint64_t drawn[words];
            draw(first, size, drawn);
            float chosen[K];
            std::size_t k = 0;
            for_each_drawn(drawn, [&](std::size_t place) {
                chosen[k++] = static_cast<float>(values[first + place]);
            });
            Values::encode(chosen, k, to);
            to += Values::size(k);
        });
        return bound<V>(values.size());
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        detail::check_lossy_element<V>();
        detail::check_encoded_size("randk", encoded, bound<V>(out.size()));
        const std::byte* from = encoded.data();
        std::fill(out.begin(), out.end(), V{});
        for_each_chunk(out.size(), [&](std::size_t first, std::size_t size) {
            float chosen[K];
            if (!Values::decode(from, share(size), chosen))
                throw std::system_error(errc::bad_message, "randk: impossible values");
            from += Values::size(share(size));
            std::uint64_t drawn[words];
            draw(first, size, drawn);
            std::size_t k = 0;
            for_each_drawn(drawn, [&](std::size_t place) { out[first + place] = chosen[k++]; });
        });
    }

private:
    static constexpr std::size_t words = Chunk / 64;

    /// How many of the `n` elements of a chunk are sent.
    static constexpr std::size_t share(std::size_t n) noexcept
    {
        return (n * K + Chunk - 1) / Chunk;
    }

    template <class Visit>
    static void for_each_chunk(std::size_t n, Visit visit)
    {
        for (std::size_t first = 0; first < n; first += Chunk)
            visit(first, std::min(Chunk, n - first));
    }

    /// A set of `share(n)` of the places below `n`, each set as likely as any other: R. W. Floyd's
    /// algorithm (J. Bentley, "Programming pearls", 1987), with a hash in place of a stream.
    void draw(std::size_t first, std::size_t n, std::uint64_t* drawn) const noexcept
    {
        std::fill_n(drawn, words, std::uint64_t{0});
        const auto stream = hash(seed, begin + first);
        for (std::size_t last = n - share(n); last < n; ++last) {
            const auto wanted =
                static_cast<std::size_t>((hash(stream, last) >> 32) * (last + 1) >> 32);
            const bool taken = (drawn[wanted / 64] >> wanted % 64 & 1) != 0;
            const auto place = taken ? last : wanted;
            drawn[place / 64] |= std::uint64_t{1} << place % 64;
        }
    }

    template <class Visit>
    static void for_each_drawn(const std::uint64_t* drawn, Visit visit)
    {
        for (std::size_t word = 0; word < words; ++word)
            for (auto bits = drawn[word]; bits != 0; bits &= bits - 1)
                visit(word * 64 + static_cast<unsigned>(std::countr_zero(bits)));
    }
};

}  // namespace papilio
