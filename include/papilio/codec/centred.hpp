#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/finite.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// `Codec`, a lossy one, without its bias: the mean of what is decoded is the mean of what was
/// encoded, but for float's rounding. Use it where many vectors with an offset are averaged, such
/// as weights around 1: an error that has the same sign on every peer does not average out.
///
/// A block is as many whole granules of Codec as fit in 1024 elements, or one granule where that is
/// more. The mean of each block is subtracted before Codec encodes it, and a float beside it, about
/// 1/32 bit per element, brings it back. That float is
/// the mean of the elements less the mean of what Codec decodes, since with the mean alone Codec's
/// own bias would stay. What differs less from its mean than from zero also loses less. After
/// R. Banner et al., "Post training 4-bit quantization of convolutional networks for
/// rapid-deployment" (2019), who correct the mean of quantised weights.
///
/// The id is Codec's, but the bytes are not, so all peers must wrap their codec alike: a peer that
/// does not is found out. Results are centred, too, unless they go back losslessly. `encode` throws
/// `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a double is first
/// rounded to float. Decoded numbers beyond float's range become its largest.
template <class Codec>
struct centred {
    static_assert(!Codec::lossless, "a lossless codec has no bias: use it without centred");
    static_assert(Codec::granule <= 65536,
                  "a codec that sees all elements before it encodes keeps their mean by itself");

    static constexpr codec_id id = Codec::id;
    static constexpr std::size_t granule =
        Codec::granule * std::max<std::size_t>(1, 1024 / Codec::granule);
    static constexpr bool lossless = false;

    Codec codec;

    constexpr auto back() const
    {
        if constexpr (detail::codec_back_t<Codec>::lossless)
            return detail::codec_back(codec);
        else
            return around(detail::codec_back(codec));
    }
    constexpr std::uint64_t parameters() const
    {
        return hash(detail::codec_parameters(codec), std::uint8_t{1});
    }
    constexpr auto at(std::size_t begin) const { return around(detail::codec_at(codec, begin)); }

    template <element V>
    constexpr std::size_t bound(std::size_t n) const
    {
        detail::check_lossy_element<V>();
        return codec.template bound<float>(n) + offsets_size(n);
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const;

    template <element V>
    void decode(bytes encoded, std::span<V> out) const;

private:
    static constexpr std::size_t offsets_size(std::size_t n)
    {
        return (n / granule + (n % granule != 0 ? 1 : 0)) * sizeof(float);
    }

    template <class Other>
    static constexpr centred<Other> around(Other other)
    {
        return {other};
    }

    [[noreturn]] static void refuse(const std::string& why)
    {
        throw std::system_error(errc::bad_message,
                                "centred<" + std::string(name(id)) + ">: " + why);
    }
};

template <class Codec>
centred(Codec) -> centred<Codec>;

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// Doubles hold the sum of any floats. The order of the additions is part of the format.
inline double mean_of(std::span<const float> values)
{
    double sums[8] = {};
    for_each_tile<8>(values.size(), [&](std::size_t begin, auto size) {
        for (std::size_t k = 0; k < size; ++k) sums[k] += static_cast<double>(values[begin + k]);
    });
    const double sum =
        ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
    return sum / static_cast<double>(values.size());
}

/// Adds in float. What would leave its range becomes its largest, so that finite stays finite.
template <class V>
void shift(std::span<V> values, float by) noexcept
{
    constexpr float most = std::numeric_limits<float>::max();
    for (auto& x : values) x = std::clamp(static_cast<float>(x) + by, -most, most);
}

/// Calls `block(index, begin, size)` for each block of at most `size` among `n` elements.
template <std::size_t size, class Block>
void for_each_block(std::size_t n, Block block)
{
    for (std::size_t begin = 0; begin < n; begin += size)
        block(begin / size, begin, std::min(size, n - begin));
}

}  // namespace papilio::detail

// Encoded, n elements are what Codec makes of their differences, then one float per block.
namespace papilio::inline PAPILIO_MODE {

template <class Codec>
template <element V>
std::size_t centred<Codec>::encode(std::span<const V> values, mutable_bytes output) const
{
    const auto n = values.size();
    PAPILIO_CHECK(output.size() >= bound<V>(n), "the output is too small for the encoded elements");
    if (!detail::all_finite(values))
        throw std::system_error(errc::not_finite, "centred codecs take only finite numbers");
    std::vector<float> floats(n);
    for (std::size_t i = 0; i < n; ++i) floats[i] = static_cast<float>(values[i]);
    std::vector<double> means;
    detail::for_each_block<granule>(n, [&](auto, std::size_t begin, std::size_t size) {
        const auto block = std::span(floats).subspan(begin, size);
        means.push_back(detail::mean_of(block));
        detail::shift(block, -static_cast<float>(means.back()));
    });

    const auto encoded = codec.encode(std::span<const float>(floats), output);
    codec.decode(bytes(output).first(encoded), std::span(floats));
    detail::for_each_block<granule>(n, [&](auto index, std::size_t begin, std::size_t size) {
        constexpr double most = std::numeric_limits<float>::max();
        const double lost = means[index] - detail::mean_of(std::span(floats).subspan(begin, size));
        store(output.data() + encoded + index * sizeof(float),
              static_cast<float>(std::clamp(lost, -most, most)));
    });
    return encoded + offsets_size(n);
}

template <class Codec>
template <element V>
void centred<Codec>::decode(bytes encoded, std::span<V> out) const
{
    detail::check_lossy_element<V>();
    const auto n = out.size();
    if (encoded.size() < offsets_size(n))
        refuse("wrong number of bytes: " + std::to_string(encoded.size()));
    const auto differences = encoded.first(encoded.size() - offsets_size(n));
    codec.decode(differences, out);
    detail::round_now(out.data());
    detail::for_each_block<granule>(n, [&](auto index, std::size_t begin, std::size_t size) {
        const auto offset =
            load<float>(encoded.data() + differences.size() + index * sizeof(float));
        if (!detail::is_finite(offset)) refuse("an offset that is not finite");
        detail::shift(out.subspan(begin, size), offset);
    });
}

}  // namespace papilio
