#pragma once

#include <papilio/base/check.hpp>
#include <papilio/plan/partition.hpp>

#include <algorithm>
#include <cstddef>

namespace papilio {

/// The elements per chunk to use where about `wanted` are asked for: a multiple of `granule`, so
/// that no codec block straddles two chunks, and at least one granule.
constexpr std::size_t chunk_size(std::size_t wanted, std::size_t granule)
{
    PAPILIO_CHECK(granule > 0, "a granule has at least one element");
    return std::max(wanted / granule, std::size_t{1}) * granule;
}

/// How many chunks of `size` elements `whole` is cut into; none when it is empty. All are full but
/// the last.
constexpr std::size_t chunk_count(part whole, std::size_t size)
{
    PAPILIO_CHECK(size > 0, "a chunk has at least one element");
    return whole.size / size + (whole.size % size != 0 ? 1 : 0);
}

/// The `index`th chunk of `whole`.
constexpr part chunk_of(part whole, std::size_t size, std::size_t index)
{
    PAPILIO_CHECK(index < chunk_count(whole, size), "there is no chunk of that index");
    const auto offset = index * size;
    return {whole.begin + offset, std::min(size, whole.size - offset)};
}

}  // namespace papilio
