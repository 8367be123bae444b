#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/codec/hivemind/base.hpp>
#include <papilio/codec/kernels/table.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

// Where the values of a run lie, for codecs that place their codes accordingly.
namespace papilio::inline PAPILIO_MODE::hivemind::detail {

using papilio::detail::bucket_tile;
using papilio::detail::sum_lanes;

/// Calls `visit(from, begin, size)` for consecutive runs of the values, each at most a tile. Behind
/// the last one `from` goes on with `filler`, up to a multiple of the lanes.
template <class Visit>
void for_each_run(std::span<const float> values, float filler, Visit visit)
{
    for (std::size_t begin = 0; begin < values.size(); begin += bucket_tile::size) {
        const auto size = std::min(bucket_tile::size, values.size() - begin);
        const float* from = values.data() + begin;
        float filled[bucket_tile::size];
        if (size % sum_lanes != 0) {
            std::fill(std::copy_n(from, size, filled), filled + bucket_tile::size, filler);
            from = filled;
        }
        visit(from, begin, size);
    }
}

constexpr std::size_t whole_lanes(std::size_t size) noexcept
{
    return (size + sum_lanes - 1) / sum_lanes * sum_lanes;
}

/// The lanes' sum, halved again and again. Leaves other sums behind.
inline double total(double* sums) noexcept
{
    for (auto half = sum_lanes / 2; half > 0; half /= 2)
        for (std::size_t k = 0; k < half; ++k) sums[k] += sums[k + half];
    return sums[0];
}

/// The mean, and the sum of squared distances from it, in one pass. What is summed up are distances
/// from the first element: as it is one of those that make the squares, cancellation costs these no
/// more than n times a double's last place.
struct spread {
    double mean;
    double squares;
    bool finite;  // all values are

    explicit spread(std::span<const float> values)
    {
        const auto& kernel = papilio::detail::kernels().uniform8;
        papilio::detail::moments of = {};
        for_each_run(values, values[0], [&](const float* from, std::size_t, std::size_t size) {
            kernel.add_moments(from, whole_lanes(size), values[0], of);
        });
        const auto n = static_cast<double>(values.size());
        const double sum = total(of.sums), all = total(of.squares);
        double known[1] = {sum / n * sum};
        papilio::detail::round_now(known);
        mean = sum / n + static_cast<double>(values[0]);
        squares = std::max(all - known[0], 0.0);
        finite = std::isfinite(all);
    }
};

}  // namespace papilio::hivemind::detail
