#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/hivemind/codebook.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::hivemind::detail {

/// Sorts finite floats by their bits, eleven at a time from the lowest up: comparing them,
/// processors would guess wrong at every second step.
class float_sorter {
public:
    /// The same floats in ascending order, until the next call.
    std::span<const float> sorted(std::span<const float> values)
    {
        from_.resize(values.size());
        to_.resize(values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto bits = std::bit_cast<std::uint32_t>(values[i]);
            from_[i] = bits ^ (0x80000000 | (0 - (bits >> 31)));  // ordered like unsigned integers
        }
        for (const unsigned shift : {0u, 11u, 22u}) distribute(shift);
        floats_.resize(values.size());
        for (std::size_t i = 0; i < values.size(); ++i)
            floats_[i] = std::bit_cast<float>(from_[i] ^ (0x80000000 | ((from_[i] >> 31) - 1)));
        return floats_;
    }

private:
    static constexpr std::uint32_t digits = 2048;

    void distribute(unsigned shift)
    {
        std::uint32_t places[digits] = {};
        for (const auto key : from_) ++places[key >> shift & (digits - 1)];
        std::uint32_t next = 0;
        for (auto& place : places) next += std::exchange(place, next);
        for (const auto key : from_) to_[places[key >> shift & (digits - 1)]++] = key;
        std::swap(from_, to_);
    }

    std::vector<std::uint32_t> from_, to_;
    std::vector<float> floats_;
};

/// `steps` + 1 evenly spaced quantiles of sorted values, interpolated.
template <class T>
void quantiles(std::span<const T> sorted, std::size_t steps, double* to)
{
    for (std::size_t k = 0; k <= steps; ++k) {
        const double place = static_cast<double>(k) / static_cast<double>(steps) *
                             static_cast<double>(sorted.size() - 1);
        const auto below = std::min(static_cast<std::size_t>(place), sorted.size() - 1);
        const auto above = std::min(below + 1, sorted.size() - 1);
        const double part = place - static_cast<double>(below);
        double shares[2] = {static_cast<double>(sorted[below]) * (1 - part),
                            static_cast<double>(sorted[above]) * part};
        papilio::detail::round_now(shares);
        to[k] = shares[0] + shares[1];
    }
}

struct quantile8_coder {
    static constexpr const char* name = "quantile8";
    static constexpr std::size_t steps = 256;

    static void encode(std::span<const float> values, std::uint8_t* codes, float* codebook)
    {
        if (!all_finite(values)) refuse_to_encode(name);
        if (values.empty()) return;
        float borders[steps - 1];
        find_borders(values, borders);
        for (std::size_t i = 0; i < values.size(); ++i)
            codes[i] = static_cast<std::uint8_t>(count_below(borders, values[i]));
        find_means(values, codes, codebook);
    }

private:
    /// hivemind's: at least 100000 elements, and no small chunk at the end.
    static constexpr std::size_t chunk_size(std::size_t n) noexcept
    {
        constexpr std::size_t least = 100000;
        const auto rest = n % least;
        return n <= least || rest == 0 ? least : least + (rest - 1) / (n / least) + 1;
    }

    /// The quantiles of all chunks' quantiles, without the first and the last.
    static void find_borders(std::span<const float> values, float* borders)
    {
        std::vector<double> all;
        float_sorter sorter;
        const auto chunk = chunk_size(values.size());
        for (std::size_t begin = 0; begin < values.size(); begin += chunk) {
            const auto part = values.subspan(begin, std::min(chunk, values.size() - begin));
            all.resize(all.size() + steps + 1);
            quantiles(sorter.sorted(part), steps, all.data() + all.size() - (steps + 1));
        }
        std::sort(all.begin(), all.end());
        double found[steps + 1];
        quantiles(std::span<const double>(all), steps, found);
        for (std::size_t k = 0; k + 1 < steps; ++k) borders[k] = static_cast<float>(found[k + 1]);
    }

    /// How many of the 255 sorted borders are less than `value`, without branches.
    static std::size_t count_below(const float* borders, float value) noexcept
    {
        std::size_t count = 0;
        for (std::size_t half = steps / 2; half > 0; half /= 2)
            count += half * static_cast<std::size_t>(borders[count + half - 1] < value);
        return count;
    }
};

}  // namespace papilio::hivemind::detail

namespace papilio::inline PAPILIO_MODE::hivemind {

/// hivemind's QUANTILE_8BIT: 256 steps that hold about as many elements each, and a codebook of
/// what was found in them: 8 bits per element and 1032 bytes. `encode` sorts, and takes as long as
/// that does; `uniform8` is faster and for normal numbers more precise.
///
/// A run cannot be cut. `encode` throws `errc::not_finite` for a NaN, an infinity, or a double
/// beyond float's range. What `decode` accepts is finite.
struct quantile8 : detail::codebook_codec<detail::quantile8_coder> {
    static constexpr codec_id id = codec_id::hivemind_quantile8;
};

}  // namespace papilio::hivemind
