#pragma once

#include <papilio/base/config.hpp>
#include <papilio/op/base.hpp>
#include <papilio/op/reduce_tiles.hpp>

namespace papilio::inline PAPILIO_MODE {

/// Adds the contributions in rank order. Integers wrap around.
struct sum {
    static constexpr op_id id = op_id::sum;
    static constexpr bool uneven_stages = true;

    template <element T>
    void reduce(std::span<const std::span<const T>> contributions, std::span<const double>,
                std::span<T> out) const
    {
        detail::reduce_tiles(contributions, out, detail::add{}, detail::keep{});
    }

    /// See `adding_operation`: the sums are the result.
    template <floating_element T>
    void finish(std::span<T>, std::size_t) const
    {
    }
};

}  // namespace papilio
