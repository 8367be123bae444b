#pragma once

#include <papilio/codec/base.hpp>
#include <papilio/op/base.hpp>

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace papilio::detail {

/// How many elements a reduction by slices decodes at a time: several versions of them stay in the
/// first-level cache.
template <std::size_t Granule>
inline constexpr std::size_t slice_size = (1024 + Granule - 1) / Granule* Granule;

/// Reduces one slice of `weights.size()` versions, in rank order, into `out`. `read(k, to, adds)`
/// decodes version k's slice into the span `to`, or adds it to what is there if `adds` is
/// `std::true_type`. `scratch` is kept from one slice to the next.
///
/// Operations treat each element by itself, so that the result is that of whole runs, bit for bit;
/// but nothing that was decoded goes out to memory.
template <class V, class Op, class Read>
void reduce_slice(const Op& op, std::span<const double> weights, const Read& read,
                  std::vector<V>& scratch, std::span<V> out)
{
    const auto count = weights.size();
    if constexpr (adding_operation<Op, V>) {
        read(0, out, std::false_type{});
        for (std::size_t k = 1; k < count; ++k) read(k, out, std::true_type{});
        op.finish(out, count);
    } else {
        const auto room = count * out.size();
        if (scratch.size() < room) scratch.resize(room);
        std::vector<std::span<const V>> versions;
        for (std::size_t k = 0; k < count; ++k) {
            const auto to = std::span(scratch).subspan(k * out.size(), out.size());
            read(k, to, std::false_type{});
            versions.push_back(to);
        }
        op.reduce(std::span<const std::span<const V>>(versions), weights, out);
    }
}

}  // namespace papilio::detail
