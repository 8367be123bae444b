#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/block_codec.hpp>
#include <papilio/codec/scale.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::detail {

/// Doubles hold the sum of any floats. Eight sums that take turns are what vector units like, and
/// their order is part of the format.
inline double sum_of_magnitudes(const float* values, std::size_t size)
{
    double sums[8] = {};
    for (std::size_t i = 0; i < size; i += 8)
        for (std::size_t k = 0; k < 8; ++k) sums[k] += std::abs(static_cast<double>(values[i + k]));
    return ((sums[0] + sums[4]) + (sums[2] + sums[6])) +
           ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

struct sign_block {
    static constexpr std::size_t block = 512;
    static constexpr unsigned bits = 1;
    static constexpr const char* name = "sign1";

    template <class Size>
    static std::uint16_t encode(const float* values, Size size, std::uint8_t* codes)
    {
        finite_peak<block>(values, name);
        const auto scale = level(sum_of_magnitudes(values, block) / static_cast<double>(size));
        const std::uint32_t mask = scale != 0;
        for (std::size_t i = 0; i < block; ++i)
            codes[i] =
                static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(values[i]) >> 31 & mask);
        return scale;
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

namespace papilio::inline PAPILIO_MODE {

/// One bit per element, its sign, and the mean magnitude of 512 of them as a 16-bit scale: 1.03
/// bits together. The squared error is 0.363 of the squares of normal numbers: use it beneath
/// `error_feedback`, which sends later what is lost now. After J. Bernstein et al., "signSGD"
/// (2018), and S. P. Karimireddy et al., "Error feedback fixes SignSGD" (2019). Blocks whose mean
/// magnitude is below 2^-100 become zeros; in others no element does.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite.
struct sign1 : detail::block_codec<detail::sign_block> {
    static constexpr codec_id id = codec_id::sign1;
};

}  // namespace papilio
