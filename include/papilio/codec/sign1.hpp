#pragma once

#include <papilio/codec/block_codec.hpp>
#include <papilio/codec/scale.hpp>

#include <bit>
#include <cmath>

namespace papilio::detail {

/// The mean magnitude as a bf16 scale, or 0 below the smallest that a codec keeps. Doubles hold
/// the sum of any floats; eight sums that take turns are what vector units like, and their order is
/// part of the format.
inline std::uint16_t mean_magnitude(const float* values, std::size_t padded, std::size_t size)
{
    double sums[8] = {};
    for (std::size_t i = 0; i < padded; i += 8)
        for (std::size_t k = 0; k < 8; ++k) sums[k] += std::abs(static_cast<double>(values[i + k]));
    const double sum =
        ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
    const auto mean = static_cast<float>(sum / static_cast<double>(size));
    if (mean < smallest_peak) return 0;
    return std::min(bf16(mean).bits, scale_up(std::numeric_limits<float>::max(), 1));
}

struct sign_block {
    static constexpr std::size_t block = 512;
    static constexpr unsigned bits = 1;
    static constexpr const char* name = "sign1";

    template <class Size>
    static std::uint16_t encode(const float* values, Size size, std::uint8_t* codes)
    {
        finite_peak<block>(values, name);
        const auto scale = mean_magnitude(values, block, size);
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
        return scale == 0 || is_scale(scale, 1);
    }
};

}  // namespace papilio::detail

namespace papilio {

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
