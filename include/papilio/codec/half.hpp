#pragma once

#include <papilio/base/config.hpp>
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

// The base of as_f16 and as_bf16.
namespace papilio::inline PAPILIO_MODE::detail {

/// The base of a codec that stores each element in two bytes, by the kernels that `Kernels` names.
template <half_kernels kernel_table::*Kernels>
struct half_codec : slice_codec<half_codec<Kernels>> {
    static constexpr std::size_t granule = 1;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        check_lossy_element<V>();
        return n * width;
    }

private:
    using base = slice_codec<half_codec>;
    friend base;
    using base::refuse;

    static constexpr const char* label() noexcept { return "16-bit floats"; }
    static constexpr std::size_t width = 2;
    static constexpr std::size_t tile = 1024;

    static void check_finite(bool finite)
    {
        if (!finite)
            throw std::system_error(errc::not_finite, "16-bit floats take only finite numbers");
    }
    static void check_decoded(bool finite)
    {
        if (!finite) refuse("not a finite number");
    }

    template <element V>
    static void write(std::span<const V> values, std::size_t begin, std::size_t,
                      mutable_bytes output)
    {
        std::byte* to = output.data() + begin * width;
        if constexpr (std::same_as<V, float>) {
            check_finite((kernels().*Kernels).encode(values.data(), values.size(), to));
        } else {
            for_each_tile<tile>(values.size(), [&](std::size_t at, std::size_t size) {
                float narrow[tile];
                for (std::size_t i = 0; i < size; ++i) narrow[i] = narrowed(values[at + i]);
                check_finite((kernels().*Kernels).encode(narrow, size, to + at * width));
            });
        }
    }

    template <bool adds, element V>
    static void read(bytes encoded, std::size_t begin, std::size_t, std::span<V> out)
    {
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

    /// The value as a float. Finite numbers beyond its range become the largest one.
    static float narrowed(double value) noexcept
    {
        constexpr double limit = std::numeric_limits<float>::max();
        return static_cast<float>(std::isinf(value) ? value : std::clamp(value, -limit, limit));
    }
};

}  // namespace papilio::detail
