#pragma once

#include <papilio/base/check.hpp>

#include <cstddef>
#include <span>

// What codecs share that read and write a run slice by slice.
namespace papilio::detail {

template <std::size_t granule>
void check_slice(std::size_t begin, std::size_t size, std::size_t n)
{
    PAPILIO_CHECK(begin % granule == 0 && begin <= n && size <= n - begin &&
                      (size % granule == 0 || size == n - begin),
                  "slices begin and end at multiples of the granule");
}

/// Puts decoded floats where they belong, or adds them to what is there.
template <bool adds, class V>
void put_decoded(const float* decoded, std::span<V> to)
{
    for (std::size_t i = 0; i < to.size(); ++i)
        to[i] = adds ? to[i] + static_cast<V>(decoded[i]) : static_cast<V>(decoded[i]);
}

}  // namespace papilio::detail
