#pragma once

#include <papilio/base/config.hpp>

#include <cstddef>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE::detail {

/// Calls `tile(begin, size)` for consecutive ranges of `Size` that cover `count` elements. `size`
/// is a compile-time constant for all but the last, because g++ turns loops into vector code at -O2
/// only if it knows how often they run.
template <std::size_t Size, class Tile>
void for_each_tile(std::size_t count, Tile tile)
{
    std::size_t begin = 0;
    for (; count - begin >= Size; begin += Size)
        tile(begin, std::integral_constant<std::size_t, Size>{});
    if (begin < count) tile(begin, count - begin);
}

}  // namespace papilio::detail
