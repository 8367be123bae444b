#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/codec/encoded_size.hpp>
#include <papilio/codec/hivemind/base.hpp>
#include <papilio/codec/hivemind/spread.hpp>
#include <papilio/codec/kernels/table.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace papilio::inline PAPILIO_MODE::hivemind {

/// hivemind's MEANSTD_16BIT: per row its mean and standard deviation, and each element as an f16
/// that counts deviations from the mean. A row has `width` elements, as the last axis of the
/// tensor; 0 makes one row of everything. The width is to be the peers' common one, and to divide
/// the number of elements: `encode` throws `errc::bad_argument` otherwise, and `errc::not_finite`
/// for a NaN, an infinity, or a double beyond float's range. Decoded numbers beyond float's range
/// become its largest.
///
/// A call encodes the peers' parts one by one, and each has to hold whole rows: in an all_reduce
/// with equal shares, n * width divides the number of elements; in reduce_scatter and all_gather
/// `call_options::sizes` are multiples of the width. With a width of 0 each part is one row.
struct meanstd16 {
    static constexpr codec_id id = codec_id::hivemind_meanstd16;
    static constexpr std::size_t granule = whole_run;
    static constexpr bool lossless = false;

    std::size_t width = 0;

    constexpr std::uint64_t parameters() const noexcept { return hash(width); }

    template <element V>
    constexpr std::size_t bound(std::size_t n) const noexcept
    {
        detail::check_lossy_element<V>();
        return n * sizeof(f16) + 2 * rows(n) * sizeof(float);
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const;

    template <element V>
    void decode(bytes encoded, std::span<V> out) const;

private:
    static constexpr std::size_t tile = 256;

    constexpr std::size_t rows(std::size_t n) const noexcept
    {
        return width == 0 ? (n > 0 ? 1 : 0) : n / width + (n % width != 0 ? 1 : 0);
    }

    static void encode_row(std::span<const float> row, std::byte* halves, std::byte* mean,
                           std::byte* deviation);
};

}  // namespace papilio::hivemind

// Encoded, n elements are n f16, then the rows' means, then their deviations.
namespace papilio::inline PAPILIO_MODE::hivemind {

inline void meanstd16::encode_row(std::span<const float> row, std::byte* halves, std::byte* mean_to,
                                  std::byte* deviation_to)
{
    const detail::spread around(row);
    if (!around.finite) detail::refuse_to_encode("meanstd16");
    const auto mean = static_cast<float>(around.mean);
    const double variance = around.squares / static_cast<double>(row.size());
    const auto deviation = std::max(static_cast<float>(std::sqrt(variance)), 0x1p-23f);
    papilio::detail::for_each_tile<tile>(row.size(), [&](std::size_t begin, auto size) {
        float scaled[tile];
        for (std::size_t i = 0; i < size; ++i) scaled[i] = (row[begin + i] - mean) / deviation;
        for (std::size_t i = 0; i < size; ++i)
            scaled[i] = std::min(std::max(scaled[i], -65504.0f), 65504.0f);  // not even infinite
        papilio::detail::kernels().as_f16.encode(scaled, size, halves + begin * sizeof(f16));
    });
    store(mean_to, mean);
    store(deviation_to, deviation);
}

template <element V>
std::size_t meanstd16::encode(std::span<const V> values, mutable_bytes output) const
{
    detail::check_lossy_element<V>();
    const auto n = values.size();
    PAPILIO_CHECK(output.size() >= bound<V>(n), "the output is too small for the encoded elements");
    if (width > 0 && n % width != 0)
        throw papilio::detail::bad_value("hivemind::meanstd16::width",
                                         "0 or a divisor of the " + std::to_string(n) + " elements",
                                         width);
    std::vector<float> storage;
    const auto floats = detail::as_floats(values, storage);
    std::byte* means = output.data() + n * sizeof(f16);
    std::byte* deviations = means + rows(n) * sizeof(float);
    for (std::size_t row = 0; row < rows(n); ++row) {
        const auto size = width == 0 ? n : width;
        encode_row(floats.subspan(row * size, size), output.data() + row * size * sizeof(f16),
                   means + row * sizeof(float), deviations + row * sizeof(float));
    }
    return bound<V>(n);
}

template <element V>
void meanstd16::decode(bytes encoded, std::span<V> out) const
{
    detail::check_lossy_element<V>();
    const auto n = out.size();
    papilio::detail::check_encoded_size("hivemind::meanstd16", encoded, bound<V>(n));
    if (width > 0 && n % width != 0)
        detail::refuse("meanstd16", "a number of elements that is no multiple of the width");
    constexpr float most = std::numeric_limits<float>::max();
    const std::byte* means = encoded.data() + n * sizeof(f16);
    const std::byte* deviations = means + rows(n) * sizeof(float);
    bool finite = true;
    const auto width_of = width == 0 ? n : width;
    for (std::size_t row = 0; row < rows(n); ++row) {
        const auto mean = load<float>(means + row * sizeof(float));
        const auto deviation = load<float>(deviations + row * sizeof(float));
        finite = finite && detail::is_finite(mean) && detail::is_finite(deviation) && deviation > 0;
        const auto first = row * width_of;
        papilio::detail::for_each_tile<tile>(width_of, [&](std::size_t begin, auto size) {
            float products[tile];
            const std::byte* from = encoded.data() + (first + begin) * sizeof(f16);
            finite = papilio::detail::kernels().as_f16.decode(from, size, products) && finite;
            for (std::size_t i = 0; i < size; ++i) products[i] *= deviation;
            papilio::detail::round_now(products);
            V* to = out.data() + first + begin;
            for (std::size_t i = 0; i < size; ++i)
                to[i] = std::clamp(products[i] + mean, -most, most);
        });
    }
    if (!finite) detail::refuse("meanstd16", "not a finite number");
}

}  // namespace papilio::hivemind
