#pragma once

#include <papilio/op/base.hpp>
#include <papilio/op/fold.hpp>

namespace papilio {

/// For sparse versions: each element is the sum of its versions in rank order, divided by how many
/// of them are not zero, so that peers count only where they sent something; 0 where nobody did.
/// `mean` divides by the number of peers instead, and shrinks what few of them sent. A zero that
/// was sent counts as not sent. Weights are ignored. Calls of several stages, which pass on sums
/// but not how many made them up, throw `errc::bad_argument`.
///
/// After `topk` this is how J. Peng et al., "DeMo" (2024), aggregate. Under error feedback `mean`
/// loses nothing, while this repeats what only some sent in full; which is better, training tells.
struct mean_of_senders {
    static constexpr op_id id = op_id::mean_of_senders;
    static constexpr bool in_stages = false;

    template <class T>
    static constexpr bool takes = floating_element<T>;

    template <element T>
    void reduce(std::span<const std::span<const T>> versions, std::span<const double>,
                std::span<T> out) const
    {
        static_assert(takes<T>,
                      "a mean of integers would have to round: use sum and divide, or convert to "
                      "float first");
        detail::check_versions(versions, out);
        using sum_type = accumulator_t<T>;
        detail::for_each_tile<detail::tile_size>(out.size(), [&](std::size_t begin, auto size) {
            alignas(64) sum_type sums[detail::tile_size] = {};
            alignas(64) sum_type senders[detail::tile_size] = {};
            for (const auto version : versions) {
                const T* from = version.data() + begin;
                for (std::size_t i = 0; i < size; ++i) {
                    const auto x = static_cast<sum_type>(from[i]);
                    sums[i] += x;
                    senders[i] += x != 0 ? sum_type{1} : sum_type{0};
                }
            }
            for (std::size_t i = 0; i < size; ++i)
                out[begin + i] = static_cast<T>(senders[i] > 0 ? sums[i] / senders[i] : sums[i]);
        });
    }
};

}  // namespace papilio
