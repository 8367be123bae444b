#pragma once

#include <papilio/op/base.hpp>
#include <papilio/op/fold.hpp>

namespace papilio {

/// The sum in rank order, divided by the number of versions. Weights are ignored: see
/// `weighted_mean`.
struct mean {
    static constexpr op_id id = op_id::mean;

    template <element T>
    void reduce(std::span<const std::span<const T>> versions, std::span<const double>,
                std::span<T> out) const
    {
        static_assert(floating_element<T>,
                      "a mean of integers would have to round: use sum and divide, or convert to "
                      "float first");
        if constexpr (floating_element<T>) {
            const auto count = static_cast<accumulator_t<T>>(versions.size());
            detail::fold(versions, out, detail::add{}, [count](auto x) { return x / count; });
        }
    }
};

}  // namespace papilio
