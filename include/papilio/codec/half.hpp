#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/kernels/table.hpp>
#include <papilio/codec/slice.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <system_error>

// What as_f16 and as_bf16 share.
namespace papilio::detail {

/// The base of a codec that stores each element in two bytes, by the kernels that `Kernels` names.
template <half_kernels kernel_table::*Kernels>
struct half_codec {
    static constexpr std::size_t granule = 1;
    static constexpr bool lossless = false;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        check_lossy_element<V>();
        return n * width;
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes room) const
    {
        encode_slice(values, 0, values.size(), room);
        return bound<V>(values.size());
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        decode_slice(encoded, 0, out.size(), out);
    }

    template <element V>
    void encode_slice(std::span<const V> values, std::size_t begin, std::size_t n,
                      mutable_bytes room) const
    {
        check_lossy_element<V>();
        PAPILIO_CHECK(room.size() >= bound<V>(n), "no room for the encoded elements");
        check_slice<granule>(begin, values.size(), n);
        std::byte* to = room.data() + begin * width;
        if constexpr (std::same_as<V, float>) {
            check_encoded((kernels().*Kernels).encode(values.data(), values.size(), to));
        } else {
            for_each_tile<tile>(values.size(), [&](std::size_t at, std::size_t size) {
                float narrow[tile];
                for (std::size_t i = 0; i < size; ++i) narrow[i] = narrowed(values[at + i]);
                check_encoded((kernels().*Kernels).encode(narrow, size, to + at * width));
            });
        }
    }

    template <element V>
    void decode_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out) const
    {
        read<false>(encoded, begin, n, out);
    }

    template <element V>
    void accumulate_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> sums) const
    {
        read<true>(encoded, begin, n, sums);
    }

private:
    static constexpr std::size_t width = 2;
    static constexpr std::size_t tile = 1024;

    static void check_encoded(bool finite)
    {
        if (!finite)
            throw std::system_error(errc::not_finite,
                                    "only finite numbers travel as 16-bit floats");
    }
    static void check_decoded(bool finite)
    {
        if (!finite)
            throw std::system_error(errc::bad_message, "16-bit floats: not a finite number");
    }

    template <bool adds, element V>
    void read(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out) const
    {
        check_lossy_element<V>();
        if (encoded.size() != bound<V>(n))
            throw std::system_error(errc::bad_message, "16-bit floats: wrong number of bytes");
        check_slice<granule>(begin, out.size(), n);
        const auto& table = kernels().*Kernels;
        const std::byte* from = encoded.data() + begin * width;
        if constexpr (std::same_as<V, float>) {
            check_decoded((adds ? table.accumulate : table.decode)(from, out.size(), out.data()));
        } else {
            for (std::size_t at = 0; at < out.size(); at += tile) {
                float narrow[tile];
                const auto size = std::min(tile, out.size() - at);
                check_decoded(table.decode(from + at * width, size, narrow));
                put_decoded<adds>(narrow, out.subspan(at, size));
            }
        }
    }

    /// As a float, into whose range finite numbers are brought first.
    static float narrowed(double value) noexcept
    {
        constexpr double limit = std::numeric_limits<float>::max();
        return static_cast<float>(std::isinf(value) ? value : std::clamp(value, -limit, limit));
    }
};

}  // namespace papilio::detail
