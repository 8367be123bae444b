#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/packed.hpp>
#include <papilio/codec/scale.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

// nf4b, the reference.
namespace papilio::inline PAPILIO_MODE::detail {

/// The levels of NF4, from T. Dettmers et al., "QLoRA" (2023): quantiles of the normal
/// distribution, brought to [-1, 1], zero among them.
inline constexpr float nf4_levels[16] = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

/// The midpoints between neighbours.
inline constexpr std::array<float, 15> nf4_limits = [] {
    std::array<float, 15> limits{};
    for (std::size_t k = 0; k < 15; ++k) limits[k] = (nf4_levels[k] + nf4_levels[k + 1]) / 2;
    return limits;
}();

/// The same for a search by halving, which begins with the one in the middle: for each further step
/// those to compare with, by what has been found so far.
inline constexpr auto nf4_search = [] {
    std::array<std::array<float, 16>, 3> limits{};
    for (std::size_t step = 0; step < 3; ++step)
        for (std::size_t found = 0; found < std::size_t{2} << step; ++found)
            limits[step][found] = nf4_limits[((2 * found + 1) << (2 - step)) - 1];
    return limits;
}();

struct nf4_block {
    static constexpr std::size_t block = 64;
    static constexpr unsigned bits = 4;
    static constexpr const char* name = "nf4b";
    static constexpr std::uint8_t zero_code = 7;

    template <class Size>
    static bool encode(const float* values, Size, std::uint8_t* codes, std::uint16_t& scale)
    {
        const auto peak = largest_magnitude<block>(values);
        if (peak >= float_infinity) return false;
        if (std::bit_cast<float>(peak) < smallest_peak) {
            std::fill_n(codes, block, zero_code);
            scale = 0;
            return true;
        }
        scale = scale_up(std::bit_cast<float>(peak), 1);
        classify(values, bf16_value(scale), codes, std::make_index_sequence<15>{});
        return true;
    }

    /// The level of largest magnitude is always among the codes: the scale exceeds the largest
    /// magnitude by less than 1 in 128.
    template <class Size>
    static bool decode(const std::uint8_t* codes, Size size, std::uint16_t scale, float* values)
    {
        const auto end = codes + size;
        if (scale == 0) {
            std::fill_n(values, block, 0.0f);
            return std::count(codes, end, zero_code) == end - codes;
        }
        std::uint8_t outermost = 0;
        float levels[16];
        for (std::size_t k = 0; k < 16; ++k) levels[k] = nf4_levels[k] * bf16_value(scale);
        for (std::size_t i = 0; i < block; ++i) values[i] = levels[codes[i]];
        for (std::size_t i = 0; i < size; ++i)
            outermost |= static_cast<std::uint8_t>((codes[i] == 0) | (codes[i] == 15));
        return is_scale(scale, 1) && outermost != 0;
    }

private:
    /// Each code counts the midpoints between levels that the value exceeds. They are multiplied by
    /// the scale, since the inverse of a large one would be subnormal.
    template <std::size_t... Js>
    static void classify(const float* values, float scale, std::uint8_t* codes,
                         std::index_sequence<Js...>)
    {
        const float limits[] = {nf4_limits[Js] * scale...};
        for (std::size_t i = 0; i < block; ++i)
            codes[i] = static_cast<std::uint8_t>((static_cast<int>(values[i] > limits[Js]) + ...));
    }
};

}  // namespace papilio::detail
