#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/base/tiles.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>

// Whether numbers are finite once they are floats, as codecs see them.
namespace papilio::inline PAPILIO_MODE::detail {

constexpr std::int32_t magnitude_of(float x) noexcept
{
    return std::bit_cast<std::int32_t>(x) & 0x7fffffff;
}

constexpr bool is_finite(float x) noexcept
{
    return magnitude_of(x) < float_infinity;
}

/// Magnitudes compare like integers, and a NaN exceeds every number.
template <class V>
bool all_finite(const V* values, std::size_t size) noexcept
{
    std::int32_t largest[16] = {};
    for_each_tile<16>(size, [&](std::size_t begin, auto some) {
        for (std::size_t i = 0; i < some; ++i)
            largest[i] = std::max(largest[i], magnitude_of(static_cast<float>(values[begin + i])));
    });
    return *std::max_element(largest, largest + 16) < float_infinity;
}

template <class Values>
bool all_finite(const Values& values) noexcept
{
    return all_finite(std::data(values), std::size(values));
}

}  // namespace papilio::detail
