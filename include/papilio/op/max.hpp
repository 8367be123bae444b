#pragma once

#include <papilio/base/config.hpp>
#include <papilio/op/base.hpp>
#include <papilio/op/reduce_tiles.hpp>

namespace papilio::inline PAPILIO_MODE {

namespace detail {
struct larger {
    template <class T>
    constexpr T operator()(T kept, T next) const noexcept
    {
        const T largest = kept < next ? next : kept;
        if constexpr (integer_element<T>) return largest;
        return next != next ? next : largest;
    }
};
}  // namespace detail

/// The largest contribution of each element. Among equals, -0 and +0 included, the lowest rank's is
/// kept; one NaN makes the result a NaN, so that a peer that diverged is seen.
struct max {
    static constexpr op_id id = op_id::max;
    static constexpr bool uneven_stages = true;

    template <element T>
    void reduce(std::span<const std::span<const T>> contributions, std::span<const double>,
                std::span<T> out) const
    {
        detail::reduce_tiles(contributions, out, detail::larger{}, detail::keep{});
    }
};

}  // namespace papilio
