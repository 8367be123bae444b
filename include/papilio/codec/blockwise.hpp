#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/codec/slice.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

// From elements to the floats of whole blocks, which kernels take, and back.
namespace papilio::inline PAPILIO_MODE::detail {

/// How many elements that are no floats are converted at a time.
template <std::size_t Block>
inline constexpr std::size_t converted_at_once = std::max<std::size_t>(1024 / Block, 1) * Block;

/// Calls `blocks(floats, begin, count)` for the whole blocks among `values`, and then
/// `rest(floats, begin, size)` for what is left, with zeros behind it up to a block's size. False
/// as soon as one of them returns false.
template <std::size_t Block, element V, class Blocks, class Rest>
bool write_blockwise(std::span<const V> values, Blocks blocks, Rest rest)
{
    const auto whole = values.size() / Block * Block;
    if constexpr (std::same_as<V, float>) {
        if (!blocks(values.data(), 0, whole / Block)) return false;
    } else {
        constexpr auto tile = converted_at_once<Block>;
        for (std::size_t at = 0; at < whole; at += tile) {
            float some[tile];
            const auto size = std::min(tile, whole - at);
            for (std::size_t i = 0; i < size; ++i) some[i] = static_cast<float>(values[at + i]);
            if (!blocks(some, at, size / Block)) return false;
        }
    }
    if (whole == values.size()) return true;
    float last[Block] = {};
    for (std::size_t i = whole; i < values.size(); ++i)
        last[i - whole] = static_cast<float>(values[i]);
    return rest(last, whole, values.size() - whole);
}

/// Fills `out`, or adds to it: `blocks(begin, count, floats, adds)` does so with the whole blocks,
/// and then `rest(begin, size, floats)` decodes what is left; `floats` have room for a block.
/// False as soon as one of them returns false.
template <std::size_t Block, bool adds, element V, class Blocks, class Rest>
bool read_blockwise(std::span<V> out, Blocks blocks, Rest rest)
{
    const auto whole = out.size() / Block * Block;
    if constexpr (std::same_as<V, float>) {
        const std::bool_constant<adds> add;
        if (!blocks(0, whole / Block, out.data(), add)) return false;
    } else {
        constexpr auto tile = converted_at_once<Block>;
        for (std::size_t at = 0; at < whole; at += tile) {
            float some[tile];
            const auto size = std::min(tile, whole - at);
            if (!blocks(at, size / Block, some, std::false_type{})) return false;
            put_decoded<adds>(some, out.subspan(at, size));
        }
    }
    if (whole == out.size()) return true;
    float last[Block];
    if (!rest(whole, out.size() - whole, last)) return false;
    put_decoded<adds>(last, out.subspan(whole));
    return true;
}

}  // namespace papilio::detail
