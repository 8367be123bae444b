#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/packed.hpp>
#include <papilio/codec/scale.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

// sign1, the reference.
namespace papilio::inline PAPILIO_MODE::detail {

/// The order in which the sums of a block are added up is part of the format.
inline double total_of(const double* sums)
{
    return ((sums[0] + sums[4]) + (sums[2] + sums[6])) +
           ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

/// Doubles hold the sum of any floats. Eight sums that take turns are what vector units like, and
/// their order is part of the format.
inline double sum_of_magnitudes(const float* values, std::size_t size)
{
    double sums[8] = {};
    for (std::size_t i = 0; i < size; i += 8)
        for (std::size_t k = 0; k < 8; ++k) sums[k] += std::abs(static_cast<double>(values[i + k]));
    return total_of(sums);
}

struct sign_block {
    static constexpr std::size_t block = 512;
    static constexpr unsigned bits = 1;
    static constexpr const char* name = "sign1";

    template <class Size>
    static bool encode(const float* values, Size size, std::uint8_t* codes, std::uint16_t& scale)
    {
        if (largest_magnitude<block>(values) >= float_infinity) return false;
        scale = level(sum_of_magnitudes(values, block) / static_cast<double>(size));
        const std::uint32_t mask = scale != 0;
        for (std::size_t i = 0; i < block; ++i)
            codes[i] =
                static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(values[i]) >> 31 & mask);
        return true;
    }

    template <class Size>
    static bool decode(const std::uint8_t* codes, Size size, std::uint16_t scale, float* values)
    {
        if (scale == 0 && std::count(codes, codes + size, 1) != 0) return false;
        const auto magnitude = static_cast<std::uint32_t>(scale) << 16;
        for (std::size_t i = 0; i < block; ++i)
            values[i] =
                std::bit_cast<float>(magnitude | static_cast<std::uint32_t>(codes[i]) << 31);
        return is_level(scale);
    }
};

}  // namespace papilio::detail
