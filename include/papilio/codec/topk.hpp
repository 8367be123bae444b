#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/largest.hpp>
#include <papilio/codec/sparse_places.hpp>
#include <papilio/codec/sparse_values.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

/// Sends the `K` largest magnitudes of every `Chunk` elements and nothing of the others, which
/// decode as zeros; of equal magnitudes the first. With 64 of 4096, 88 % of the squares of normal
/// numbers are lost and 60 % of Student's t with three degrees: use it beneath `error_feedback`. A
/// short last chunk sends its share, rounded up.
///
/// `Values` and `Places` say how both are stored: `half_values`, `two_bit_values` or `sign_values`,
/// at `packed_places` or `rice_places`. 64 of 4096 take 0.44, 0.23 or 0.21 bits per element at
/// packed places, and 0.07 less at Rice's. The mean over peers of what they send is dense again:
/// the way back asks for another codec.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite. After A. Aji and K. Heafield,
/// "Sparse communication for distributed gradient descent" (2017).
template <std::size_t K, class Values = half_values, class Places = packed_places,
          std::size_t Chunk = 4096>
struct topk {
    static_assert(K > 0 && K <= Chunk && Chunk >= 64 && Chunk <= 16384 &&
                      (Chunk & (Chunk - 1)) == 0,
                  "topk<K, ..., Chunk> sends K of Chunk elements, a power of two from 64 to 16384");

    static constexpr codec_id id = codec_id::topk;
    static constexpr std::size_t granule = Chunk;
    static constexpr bool lossless = false;

    /// What peers must agree on beside the id.
    static constexpr std::uint64_t parameters() noexcept
    {
        return hash(K, Values::code, Places::code, Chunk);
    }

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept;

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const;

    template <element V>
    void decode(bytes encoded, std::span<V> out) const;

private:
    static constexpr std::size_t spacing = Chunk / K;

    /// How many of the `n` elements of a chunk are sent.
    static constexpr std::size_t share(std::size_t n) noexcept
    {
        return (n * K + Chunk - 1) / Chunk;
    }

    static constexpr std::size_t places_bound(std::size_t n) noexcept
    {
        return Places::bound(share(n), n, Chunk, spacing);
    }
    static constexpr std::size_t chunks(std::size_t n) noexcept
    {
        return n / Chunk + (n % Chunk != 0);
    }

    /// Before the chunks, where their places differ in length, stands how long those are.
    static constexpr std::size_t lengths(std::size_t n) noexcept
    {
        return Places::fixed ? 0 : chunks(n) * sizeof(std::uint16_t);
    }

    template <class V>
    static std::size_t encode_chunk(std::span<const V> values, detail::largest<K, Chunk>& largest,
                                    std::byte* to);
    template <class V>
    static void decode_chunk(const std::byte* values, bytes places, std::span<V> out);
    static std::size_t length(const std::byte* lengths, std::size_t chunk, std::size_t n);

    [[noreturn]] static void refuse(const std::string& what)
    {
        throw std::system_error(errc::bad_message, "topk: " + what);
    }
};

}  // namespace papilio

// Encoded, n elements are one chunk after the other: values, then places.
namespace papilio::inline PAPILIO_MODE {

template <std::size_t K, class Values, class Places, std::size_t Chunk>
template <element V>
constexpr std::size_t topk<K, Values, Places, Chunk>::bound(std::size_t n) noexcept
{
    detail::check_lossy_element<V>();
    const auto whole = Values::size(K) + places_bound(Chunk);
    const auto rest = n % Chunk;
    return lengths(n) + n / Chunk * whole +
           (rest > 0 ? Values::size(share(rest)) + places_bound(rest) : 0);
}

template <std::size_t K, class Values, class Places, std::size_t Chunk>
template <element V>
std::size_t topk<K, Values, Places, Chunk>::encode(std::span<const V> values,
                                                   mutable_bytes output) const
{
    detail::check_lossy_element<V>();
    const auto n = values.size();
    PAPILIO_CHECK(output.size() >= bound<V>(n), "the output is too small for the encoded elements");
    std::byte* to = output.data() + lengths(n);
    detail::largest<K, Chunk> largest;
    for (std::size_t begin = 0; begin < n; begin += Chunk) {
        const auto size = std::min(Chunk, n - begin);
        const auto places = encode_chunk(values.subspan(begin, size), largest, to);
        if (!Places::fixed)
            store(output.data() + begin / Chunk * sizeof(std::uint16_t),
                  static_cast<std::uint16_t>(places));
        to += Values::size(share(size)) + places;
    }
    return static_cast<std::size_t>(to - output.data());
}

/// Returns how many bytes the places take.
template <std::size_t K, class Values, class Places, std::size_t Chunk>
template <class V>
std::size_t topk<K, Values, Places, Chunk>::encode_chunk(std::span<const V> values,
                                                         detail::largest<K, Chunk>& largest,
                                                         std::byte* to)
{
    const auto k = share(values.size());
    std::uint16_t places[K];
    float chosen[K] = {};
    const auto choose = [&](const float* from) {
        largest.find(from, k, places);
        for (std::size_t i = 0; i < k; ++i) chosen[i] = from[places[i]];
    };
    if constexpr (std::same_as<V, float>) {
        if (values.size() == Chunk) choose(values.data());
    }
    if (!std::same_as<V, float> || values.size() < Chunk) {
        // Zeros behind the last element are never chosen before those of the chunk.
        float filled[Chunk] = {};
        for (std::size_t i = 0; i < values.size(); ++i) filled[i] = static_cast<float>(values[i]);
        choose(filled);
    }
    Values::encode(chosen, k, to);
    return Places::encode(places, k, Chunk, spacing, to + Values::size(k));
}

template <std::size_t K, class Values, class Places, std::size_t Chunk>
template <element V>
void topk<K, Values, Places, Chunk>::decode(bytes encoded, std::span<V> out) const
{
    detail::check_lossy_element<V>();
    const auto n = out.size();
    if (encoded.size() < lengths(n) || encoded.size() > bound<V>(n))
        refuse("wrong number of bytes: " + std::to_string(encoded.size()));
    std::size_t at = lengths(n);
    for (std::size_t begin = 0; begin < n; begin += Chunk) {
        const auto size = std::min(Chunk, n - begin);
        const auto values = Values::size(share(size));
        const auto places = length(encoded.data(), begin / Chunk, size);
        if (encoded.size() - at < values + places)
            refuse("wrong number of bytes: " + std::to_string(encoded.size()));
        decode_chunk(encoded.data() + at, encoded.subspan(at + values, places),
                     out.subspan(begin, size));
        at += values + places;
    }
    if (at != encoded.size()) refuse("wrong number of bytes: " + std::to_string(encoded.size()));
}

/// How many bytes the places of chunk `chunk` take, which has `n` elements.
template <std::size_t K, class Values, class Places, std::size_t Chunk>
std::size_t topk<K, Values, Places, Chunk>::length(const std::byte* lengths, std::size_t chunk,
                                                   std::size_t n)
{
    if constexpr (Places::fixed)
        return places_bound(n);
    else
        return load<std::uint16_t>(lengths + chunk * sizeof(std::uint16_t));
}

template <std::size_t K, class Values, class Places, std::size_t Chunk>
template <class V>
void topk<K, Values, Places, Chunk>::decode_chunk(const std::byte* values, bytes places,
                                                  std::span<V> out)
{
    const auto k = share(out.size());
    std::uint16_t where[K];
    float chosen[K];
    if (!Values::decode(values, k, chosen)) refuse("impossible values");
    if (!Places::decode(places, k, out.size(), Chunk, spacing, where))
        refuse("places that do not ascend within their chunk");
    std::fill(out.begin(), out.end(), V{});
    for (std::size_t i = 0; i < k; ++i) out[where[i]] = chosen[i];
}

}  // namespace papilio
