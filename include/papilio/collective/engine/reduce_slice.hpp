#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/op/base.hpp>

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// How many elements a reduction by slices decodes at a time: several contributions of them stay in
/// the first-level cache.
template <std::size_t Granule>
inline constexpr std::size_t slice_size = (1024 + Granule - 1) / Granule* Granule;

/// `count` values in `scratch`, which grows if need be. What it held is lost.
template <class V>
std::span<V> values_in(pooled_buffer& scratch, std::size_t count)
{
    static_assert(std::is_trivially_copyable_v<V> && alignof(V) <= alignof(std::max_align_t));
    if (scratch.get().size() < count * sizeof(V)) scratch.resize(count * sizeof(V));
    return {reinterpret_cast<V*>(scratch.get().data()), count};
}

/// Reduces one slice of `weights.size()` contributions, in rank order, into `out`.
/// `read(k, to, adds)` decodes the slice of contribution k into the span `to`, or adds it to what
/// is there if `adds` is `std::true_type`. `scratch` is kept from one slice to the next.
///
/// Operations treat each element by itself, so that the result is that of whole runs, bit for bit;
/// but nothing that was decoded goes out to memory.
template <class V, class Op, class Read>
void reduce_slice(const Op& op, std::span<const double> weights, const Read& read,
                  pooled_buffer& scratch, std::span<V> out)
{
    const auto count = weights.size();
    if constexpr (adding_operation<Op, V>) {
        read(0, out, std::false_type{});
        for (std::size_t k = 1; k < count; ++k) read(k, out, std::true_type{});
        op.finish(out, count);
    } else {
        const auto all = values_in<V>(scratch, count * out.size());
        std::vector<std::span<const V>> decoded;
        for (std::size_t k = 0; k < count; ++k) {
            const auto to = all.subspan(k * out.size(), out.size());
            read(k, to, std::false_type{});
            decoded.push_back(to);
        }
        op.reduce(std::span<const std::span<const V>>(decoded), weights, out);
    }
}

}  // namespace papilio::detail
