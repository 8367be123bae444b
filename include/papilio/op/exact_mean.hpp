#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/op/base.hpp>
#include <papilio/op/reduce_tiles.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// The weighted mean of contributions that are f16, exact until it is rounded to f16 at the end,
/// once, ties to even. As no sum is rounded, its bits do not depend on the order of the peers:
/// whoever repeats the computation, in whatever order the contributions come to him, gets them.
///
/// Meant for `as_f16`, or for f16 elements by `identity`. Contributions of other numbers are first
/// rounded to multiples of 2^-24, those beyond 65504 to that. An element is NaN if one of its
/// contributions is not a finite number: `as_f16` refuses such, and `finite_only{identity{}}` has
/// them refused where they come from. Weights are whole numbers that add up to 2^22 at most, lest
/// sums overflow: with others `reduce` throws `errc::bad_argument`. So does a call of several
/// stages, each of which would round.
struct exact_mean {
    static constexpr op_id id = op_id::exact_mean;
    static constexpr bool in_stages = false;

    /// The most that the weights of one result add up to.
    static constexpr std::int64_t largest_total = std::int64_t{1} << 22;

    template <class T>
    static constexpr bool takes = detail::is_one_of<T, float, double, f16>;

    template <element T>
    void reduce(std::span<const std::span<const T>> contributions, std::span<const double> weights,
                std::span<T> out) const;
};

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// `sum / total` multiples of 2^-24, the smallest f16, for totals up to 2^22 and quotients up to
/// 2^40. Rounds to f16's eleven significant bits, ties to even; not by way of a float, which would
/// round twice.
class rounded_division {
public:
    explicit rounded_division(std::int64_t total) noexcept
        : total_(total), inverse_(1 / static_cast<double>(total))
    {
    }

    float operator()(std::int64_t sum) const noexcept
    {
        // The quotient by way of doubles is off by one at most, upwards or downwards.
        const auto magnitude = sum < 0 ? -sum : sum;
        auto whole = static_cast<std::int64_t>(static_cast<double>(magnitude) * inverse_);
        auto rest = magnitude - whole * total_;
        const auto fix = (rest >= total_ ? 1 : 0) - (rest < 0 ? 1 : 0);
        whole += fix;
        rest -= fix * total_;

        // What is dropped, and the rest behind it, against half of the last place that is kept.
        const auto width = std::bit_width(static_cast<std::uint64_t>(whole) | 0x400);
        const auto dropped = static_cast<unsigned>(width) - 11;
        const auto kept = whole >> dropped;
        const auto twice = 2 * ((whole - (kept << dropped)) * total_ + rest);
        const auto place = total_ << dropped;
        const auto up = (twice > place ? 1 : 0) | ((twice == place ? 1 : 0) & (kept & 1));
        const auto rounded = static_cast<float>((kept + up) << dropped) * 0x1p-24f;
        const auto sign = static_cast<std::uint32_t>(sum >> 63) & 0x80000000;  // without a branch
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(rounded) | sign);
    }

private:
    std::int64_t total_;
    double inverse_;
};

/// Sums of contributions, in multiples of 2^-24, and the largest magnitude among them.
struct exact_sums {
    std::int64_t sums[tile_size] = {};
    std::int32_t peaks[tile_size] = {};  // the bits of floats; a NaN's exceed all

    template <class T, class Size>
    void add(const T* contribution, Size size, std::int64_t weight) noexcept
    {
        float values[tile_size];
        for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<float>(contribution[i]);
        for (std::size_t i = 0; i < size; ++i)
            peaks[i] = std::max(peaks[i], std::bit_cast<std::int32_t>(values[i]) & 0x7fffffff);
        for (std::size_t i = 0; i < size; ++i)
            values[i] = std::min(std::max(values[i], -65504.0f), 65504.0f);

        // Adding 1.5 * 2^28, whose last place as a double is 2^-24, rounds to a multiple of that
        // and leaves it in the low bits.
        constexpr double rounder = 0x1.8p28;
        constexpr auto zero = std::bit_cast<std::int64_t>(rounder);
        std::int64_t fixed[tile_size];
        for (std::size_t i = 0; i < size; ++i)
            fixed[i] = std::bit_cast<std::int64_t>(static_cast<double>(values[i]) + rounder) - zero;
        if (weight == 1)
            for (std::size_t i = 0; i < size; ++i) sums[i] += fixed[i];
        else
            for (std::size_t i = 0; i < size; ++i) sums[i] += fixed[i] * weight;
    }
};

/// Throws `errc::bad_argument`.
inline std::vector<std::int64_t> whole_weights(std::span<const double> weights)
{
    std::vector<std::int64_t> whole;
    double total = 0;
    for (const double weight : weights) {
        if (!(weight >= 1) || !(weight <= 0x1p22) || weight != std::floor(weight))
            throw bad_value("a weight of an exact mean", "a whole number from 1 to 4,194,304",
                            weight);
        total += weight;
        whole.push_back(static_cast<std::int64_t>(weight));
    }
    if (total > static_cast<double>(exact_mean::largest_total))
        throw bad_value("the sum of the weights of an exact mean", "at most 4,194,304", total);
    return whole;
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

template <element T>
void exact_mean::reduce(std::span<const std::span<const T>> contributions,
                        std::span<const double> weights, std::span<T> out) const
{
    static_assert(takes<T>,
                  "an exact mean is one of f16, which float and double can hold: convert bf16 to "
                  "float first, and sum integers");
    detail::check_contributions(contributions, out);
    PAPILIO_CHECK(weights.size() == contributions.size(), "each contribution has one weight");
    const auto factors = detail::whole_weights(weights);
    std::int64_t total = 0;
    for (const auto factor : factors) total += factor;

    const detail::rounded_division mean(total);
    detail::for_each_tile<detail::tile_size>(out.size(), [&](std::size_t begin, auto size) {
        detail::exact_sums all;
        for (std::size_t k = 0; k < contributions.size(); ++k)
            all.add(contributions[k].data() + begin, size, factors[k]);
        constexpr float nan = std::numeric_limits<float>::quiet_NaN();
        for (std::size_t i = 0; i < size; ++i)
            out[begin + i] =
                static_cast<T>(all.peaks[i] < detail::float_infinity ? mean(all.sums[i]) : nan);
    });
}

}  // namespace papilio
