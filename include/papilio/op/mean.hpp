#pragma once

#include <papilio/base/config.hpp>
#include <papilio/op/base.hpp>
#include <papilio/op/reduce_tiles.hpp>
#include <papilio/op/weighted_mean.hpp>

namespace papilio::inline PAPILIO_MODE {

/// The sum in rank order, divided by the number of contributions. Weights are ignored, but for
/// those of 0, whose peers contribute nothing: see `weighted_mean`. In calls of several stages each
/// mean of a block counts for as many contributions as it is made of.
struct mean {
    static constexpr op_id id = op_id::mean;
    static constexpr bool uneven_stages = true;
    using of_results = weighted_mean;

    template <class T>
    static constexpr bool takes = floating_element<T>;

    template <element T>
    void reduce(std::span<const std::span<const T>> contributions, std::span<const double>,
                std::span<T> out) const
    {
        static_assert(takes<T>,
                      "a mean of integers would have to round: use sum and divide, or convert to "
                      "float first");
        if constexpr (takes<T>) {
            const auto count = static_cast<accumulator_t<T>>(contributions.size());
            detail::reduce_tiles(contributions, out, detail::add{},
                                 [count](auto x) { return x / count; });
        }
    }

    /// See `adding_operation`: divides the sums.
    template <floating_element T>
    void finish(std::span<T> sums, std::size_t count) const
    {
        const auto divisor = static_cast<T>(count);
        detail::for_each_tile<detail::tile_size>(sums.size(), [&](std::size_t begin, auto size) {
            T* tile = sums.data() + begin;
            for (std::size_t i = 0; i < size; ++i) tile[i] = tile[i] / divisor;
        });
    }
};

}  // namespace papilio
