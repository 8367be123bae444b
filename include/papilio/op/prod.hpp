#pragma once

#include <papilio/base/config.hpp>
#include <papilio/op/base.hpp>
#include <papilio/op/reduce_tiles.hpp>

namespace papilio::inline PAPILIO_MODE {

namespace detail {
struct multiply {
    template <class T>
    constexpr T operator()(T a, T b) const noexcept
    {
        if constexpr (integer_element<T>)
            return static_cast<T>(static_cast<wrapping_t<T>>(a) * static_cast<wrapping_t<T>>(b));
        else
            return a * b;
    }
};
}  // namespace detail

/// Multiplies the contributions in rank order. Integers wrap around.
struct prod {
    static constexpr op_id id = op_id::prod;
    static constexpr bool uneven_stages = true;

    template <element T>
    void reduce(std::span<const std::span<const T>> contributions, std::span<const double>,
                std::span<T> out) const
    {
        detail::reduce_tiles(contributions, out, detail::multiply{}, detail::keep{});
    }
};

}  // namespace papilio
