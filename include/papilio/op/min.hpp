#pragma once

#include <papilio/base/config.hpp>
#include <papilio/op/base.hpp>
#include <papilio/op/reduce_tiles.hpp>

namespace papilio::inline PAPILIO_MODE {

namespace detail {
struct smaller {
    template <class T>
    constexpr T operator()(T kept, T next) const noexcept
    {
        const T smallest = next < kept ? next : kept;
        if constexpr (integer_element<T>) return smallest;
        return next != next ? next : smallest;
    }
};
}  // namespace detail

/// The smallest contribution of each element. Among equals, -0 and +0 included, the lowest rank's
/// is kept; one NaN makes the result a NaN, so that a peer that diverged is seen.
struct min {
    static constexpr op_id id = op_id::min;
    static constexpr bool uneven_stages = true;

    template <element T>
    void reduce(std::span<const std::span<const T>> contributions, std::span<const double>,
                std::span<T> out) const
    {
        detail::reduce_tiles(contributions, out, detail::smaller{}, detail::keep{});
    }
};

}  // namespace papilio
