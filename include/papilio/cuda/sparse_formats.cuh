#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/half_scale.hpp>
#include <papilio/codec/topk.hpp>
#include <papilio/cuda/formats.cuh>

// What kernels must know of how topk stores values and places: `sparse_format<Values>` says
// - `header_bytes`, and `bits` per value behind them;
// - `header(values, k, peak)`: by the values in the order of places and their largest magnitude;
//   one lane computes it for all, since the order of its sums is part of the format;
// - `code(x, header)`, where codes of a zero header are zero, and `value(code, header)`;
// - `weight` and `limits` as in `format`, in `formats.cuh`.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

/// Up to two bf16, one after the other, the first in the lower half.
struct sparse_header {
    std::uint16_t first = 0;
    std::uint16_t second = 0;
};

template <class Values>
struct sparse_format;

template <>
struct sparse_format<half_values> {
    static constexpr std::size_t header_bytes = 2;
    static constexpr int bits = 16;

    /// Brings the largest magnitude to 2^13 or more, and less than 2^14.
    PAPILIO_DEVICE static sparse_header header(const float*, std::size_t, float peak)
    {
        return {common::half_scale(peak).bits, 0};
    }

    PAPILIO_DEVICE static std::uint32_t code(float x, sparse_header by)
    {
        if (by.first == 0) return 0;
        const std::uint32_t half = f16(times(x, common::half_scale::inverse_of(by.first))).bits;
        const std::uint32_t most = common::half_scale::most(by.first);
        return (half & 0x8000) | ((half & 0x7fff) < most ? half & 0x7fff : most);
    }

    PAPILIO_DEVICE static float value(std::uint32_t code, sparse_header by)
    {
        return times(common::f16_value(static_cast<std::uint16_t>(code)),
                     common::bf16_value(by.first));
    }

    /// The sign counts least, so that only the code of +0 weighs nothing.
    PAPILIO_DEVICE static std::uint32_t weight(std::uint32_t code)
    {
        return (code & 0x7fff) << 1 | code >> 15;
    }

    PAPILIO_DEVICE static weight_limits limits(sparse_header by)
    {
        if (by.first == 0) return {0, 0};
        if (!common::half_scale::possible(by.first)) return {};
        const std::uint32_t least = common::half_scale::least;
        const std::uint32_t most = common::half_scale::most(by.first);
        return {least << 1, most << 1 | 1};
    }
};

template <>
struct sparse_format<two_bit_values> {
    static constexpr std::size_t header_bytes = 4;
    static constexpr int bits = 2;

    PAPILIO_DEVICE static sparse_header header(const float* values, std::size_t k, float)
    {
        const common::two_levels levels(values, k);
        return {common::level(levels.low), common::level(levels.high)};
    }

    PAPILIO_DEVICE static std::uint32_t code(float x, sparse_header by)
    {
        if (by.second == 0) return 0;
        const double limit = (static_cast<double>(common::bf16_value(by.first)) +
                              static_cast<double>(common::bf16_value(by.second))) /
                             2;
        const auto all = std::bit_cast<std::uint32_t>(x);
        const double magnitude = std::bit_cast<float>(all & 0x7fffffff);
        return all >> 31 | (magnitude > limit ? 2u : 0u);
    }

    PAPILIO_DEVICE static float value(std::uint32_t code, sparse_header by)
    {
        const float magnitude = common::bf16_value(code >= 2 ? by.second : by.first);
        return code % 2 != 0 ? -magnitude : magnitude;
    }

    PAPILIO_DEVICE static std::uint32_t weight(std::uint32_t code) { return code; }

    PAPILIO_DEVICE static weight_limits limits(sparse_header by)
    {
        const bool possible = common::is_level(by.first) && common::is_level(by.second);
        if (!possible || by.first > by.second) return {};
        return {0, by.second == 0 ? 0u : 3u};
    }
};

template <>
struct sparse_format<sign_values> {
    static constexpr std::size_t header_bytes = 2;
    static constexpr int bits = 1;

    PAPILIO_DEVICE static sparse_header header(const float* values, std::size_t k, float)
    {
        double sum = 0;
        for (std::size_t i = 0; i < k; ++i)
            sum += std::bit_cast<float>(std::bit_cast<std::uint32_t>(values[i]) & 0x7fffffff);
        return {common::level(sum / static_cast<double>(k)), 0};
    }

    PAPILIO_DEVICE static std::uint32_t code(float x, sparse_header by)
    {
        return by.first == 0 ? 0 : std::bit_cast<std::uint32_t>(x) >> 31;
    }

    PAPILIO_DEVICE static float value(std::uint32_t code, sparse_header by)
    {
        const float magnitude = common::bf16_value(by.first);
        return code != 0 ? -magnitude : magnitude;
    }

    PAPILIO_DEVICE static std::uint32_t weight(std::uint32_t code) { return code; }

    PAPILIO_DEVICE static weight_limits limits(sparse_header by)
    {
        if (!common::is_level(by.first)) return {};
        return {0, by.first == 0 ? 0u : 1u};
    }
};

/// A `topk` taken apart.
template <class Codec>
struct sparse {
    static constexpr bool is = false;
};

template <std::size_t K, class Values, class Places, std::size_t Chunk>
struct sparse<topk<K, Values, Places, Chunk>> {
    static_assert(Places::fixed && Chunk >= 256 && Chunk <= 8192,
                  "kernels of topk take packed_places and chunks from 256 to 8192");
    static constexpr bool is = true;
    static constexpr std::size_t most = K;
    static constexpr std::size_t chunk = Chunk;
    static constexpr int place_bits = std::bit_width(Chunk - 1);
    using format = sparse_format<Values>;

    /// How many of the `n` elements of a chunk are sent.
    PAPILIO_DEVICE static constexpr std::size_t share(std::size_t n)
    {
        return (n * K + Chunk - 1) / Chunk;
    }
    PAPILIO_DEVICE static constexpr std::size_t value_bytes(std::size_t k)
    {
        return format::header_bytes + (k * format::bits + 7) / 8;
    }
    PAPILIO_DEVICE static constexpr std::size_t place_bytes(std::size_t k)
    {
        return (k * place_bits + 7) / 8;
    }
    /// Where chunk `index` begins among the encoded bytes.
    PAPILIO_DEVICE static constexpr std::size_t begin(std::size_t index)
    {
        return index * (value_bytes(K) + place_bytes(K));
    }
};

/// Byte `index` of numbers of `bits` bits each, the lowest first; `number(i)` is one of `count`.
template <class Number>
PAPILIO_DEVICE std::byte packed_byte(std::size_t index, int bits, std::size_t count,
                                     const Number& number)
{
    const auto width = static_cast<std::size_t>(bits);
    std::uint32_t byte = 0;
    for (auto i = index * 8 / width; i < count && i * width < index * 8 + 8; ++i) {
        const auto shift = static_cast<int>(i * width) - static_cast<int>(index * 8);
        const std::uint32_t one = number(i);
        byte |= shift >= 0 ? one << shift : one >> -shift;
    }
    return static_cast<std::byte>(byte & 0xff);
}

/// Number `i` of such bytes.
PAPILIO_DEVICE inline std::uint32_t packed_number(const std::byte* from, std::size_t i, int bits)
{
    const auto first = i * static_cast<std::size_t>(bits),
               end = first + static_cast<std::size_t>(bits);
    std::uint32_t all = 0;
    for (auto at = first / 8; at < (end + 7) / 8; ++at)
        all |= static_cast<std::uint32_t>(from[at]) << 8 * (at - first / 8);
    return all >> first % 8 & ((1u << bits) - 1);
}

}  // namespace papilio::cuda::detail
