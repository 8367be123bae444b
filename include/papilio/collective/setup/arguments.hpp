#pragma once

#include <papilio/base/element.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/op/base.hpp>

#include <concepts>
#include <ranges>
#include <type_traits>

// What a collective's arguments must be.
namespace papilio::detail {

/// A range of elements that outlives the call: an lvalue, or a borrowed range such as a span.
template <class R>
concept elements = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    std::ranges::borrowed_range<R> && element<std::ranges::range_value_t<R>>;

template <class R>
concept writable_elements =
    elements<R> && !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

/// What must hold of an operation and a codec, said where the user calls.
template <class T, class Op, class Codec>
constexpr void check_kinds()
{
    static_assert(operation<Op, T>,
                  "not an operation on these elements: see op/base.hpp for what one must have");
    static_assert(Codec::lossless || floating_element<T>,
                  "a lossy codec takes floating-point elements only: send integers by identity{}");
    static_assert(codec<Codec, std::conditional_t<Codec::lossless, T, accumulator_t<T>>>,
                  "not a codec for these elements: see codec/base.hpp for what one must have");
}

}  // namespace papilio::detail
