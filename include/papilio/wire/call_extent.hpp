#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>

#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::wire {

/// How large a call is, which its peers know from the call alone, and by which they read the
/// messages about its views.
struct call_extent {
    int peers = 0;
    std::size_t parts = 0;
    std::uint32_t columns = 0;
};

/// Views are numbered from 0 to this.
inline constexpr std::uint8_t max_view = 31;

/// Stands in messages for a view that there is not.
inline constexpr std::uint8_t no_view = 255;

/// Stands in messages for a weight that is not known.
inline constexpr double unknown_weight = -1;

namespace detail {

constexpr std::size_t rank_set_size(const call_extent& of) noexcept
{
    return 8 * rank_set::words(of.peers);
}

constexpr std::size_t weights_size(const call_extent& of) noexcept
{
    return 8 * static_cast<std::size_t>(of.peers);
}

/// The lists of runs of all parts take at most this, where one takes `run`: no more than one for
/// each chunk.
constexpr std::size_t largest_runs(const call_extent& of, std::size_t run) noexcept
{
    return of.parts * (4 + of.columns * run);
}

}  // namespace detail

}  // namespace papilio::wire
