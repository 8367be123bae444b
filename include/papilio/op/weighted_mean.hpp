#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/op/base.hpp>
#include <papilio/op/reduce_tiles.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// Each contribution times its weight, added up in rank order and divided by the sum of the
/// weights. Weights are finite and not negative, and one is positive; only their ratios matter,
/// since they are first scaled by a power of two to at most one.
struct weighted_mean {
    static constexpr op_id id = op_id::weighted_mean;
    static constexpr bool uneven_stages = true;

    template <class T>
    static constexpr bool takes = floating_element<T>;

    template <element T>
    void reduce(std::span<const std::span<const T>> contributions, std::span<const double> weights,
                std::span<T> out) const;
};

namespace detail {

/// The weights over the power of two above the largest. That changes no bit of the mean, since the
/// scale cancels, and keeps huge and tiny weights within the range of the accumulator.
template <class Sum>
std::vector<Sum> scaled_weights(std::span<const double> weights)
{
    double largest = 0;
    for (const double weight : weights) {
        PAPILIO_CHECK(weight >= 0 && std::isfinite(weight), "weights are finite and not negative");
        largest = std::max(largest, weight);
    }
    PAPILIO_CHECK(largest > 0, "one weight must be positive");

    int exponent = 0;
    std::frexp(largest, &exponent);
    std::vector<Sum> result;
    result.reserve(weights.size());
    for (const double weight : weights)
        result.push_back(static_cast<Sum>(std::ldexp(weight, -exponent)));
    return result;
}

template <class T, class Size>
void weigh_tile(const T* contribution, accumulator_t<T> weight, Size size,
                accumulator_t<T>* __restrict weighed)
{
    for (std::size_t i = 0; i < size; ++i)
        weighed[i] = weight * static_cast<accumulator_t<T>>(contribution[i]);
    round_now(weighed);
}

}  // namespace detail

template <element T>
void weighted_mean::reduce(std::span<const std::span<const T>> contributions,
                           std::span<const double> weights, std::span<T> out) const
{
    static_assert(takes<T>,
                  "a mean of integers would have to round: use sum and divide, or convert to "
                  "float first");
    detail::check_contributions(contributions, out);
    PAPILIO_CHECK(weights.size() == contributions.size(), "each contribution has one weight");
    using sum_type = accumulator_t<T>;
    const auto factors = detail::scaled_weights<sum_type>(weights);
    sum_type total = 0;
    for (const auto factor : factors) total += factor;

    detail::for_each_tile<detail::tile_size>(out.size(), [&](std::size_t begin, auto size) {
        alignas(64) sum_type reduced[detail::tile_size];
        alignas(64) sum_type weighed[detail::tile_size];
        detail::weigh_tile(contributions[0].data() + begin, factors[0], size, reduced);
        for (std::size_t k = 1; k < contributions.size(); ++k) {
            detail::weigh_tile(contributions[k].data() + begin, factors[k], size, weighed);
            for (std::size_t i = 0; i < size; ++i) reduced[i] += weighed[i];
        }
        detail::finish_tile(reduced, size, out.data() + begin,
                            [total](sum_type x) { return x / total; });
    });
}

}  // namespace papilio
