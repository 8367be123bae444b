#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/collective/setup/misuse.hpp>
#include <papilio/op/base.hpp>
#include <papilio/transport/base.hpp>

#include <concepts>
#include <ranges>
#include <type_traits>

// Finds what is wrong with the arguments of a call.
namespace papilio::inline PAPILIO_MODE::detail {

template <class Net>
constexpr misuse misuse_of_transport()
{
    if constexpr (!transport<std::remove_reference_t<Net>>) return misuse::no_transport;
    return std::is_lvalue_reference_v<Net> ? misuse::none : misuse::temporary_transport;
}

template <class R>
concept names_data = std::ranges::range<R> || std::is_pointer_v<std::remove_cvref_t<R>>;

/// Elements lie side by side and outlive the call: in an lvalue, or in a borrowed range such as a
/// span.
template <class R>
constexpr misuse misuse_of_data()
{
    if constexpr (!names_data<R>)
        return misuse::no_range;
    else if constexpr (!std::ranges::range<R>)
        return misuse::pointer;
    else if constexpr (!std::ranges::contiguous_range<R> || !std::ranges::sized_range<R>)
        return misuse::scattered;
    else if constexpr (!element<std::ranges::range_value_t<R>>)
        return misuse::no_elements;
    else
        return std::ranges::borrowed_range<R> ? misuse::none : misuse::temporary_data;
}

template <class R>
constexpr misuse misuse_of_result()
{
    if constexpr (misuse_of_data<R>() != misuse::none)
        return misuse_of_data<R>();
    else if constexpr (std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<R>>>)
        return misuse::const_result;
    else
        return misuse::none;
}

// clang-format off

template <class Op>
concept has_operation_id = requires { { Op::id } -> std::convertible_to<op_id>; };

template <class Codec>
concept has_codec_id = requires { { Codec::id } -> std::convertible_to<codec_id>; };

// clang-format on

template <class T, class Op>
constexpr misuse misuse_of_operation()
{
    if constexpr (has_codec_id<Op>)
        return misuse::codec_first;
    else if constexpr (!operation_takes<Op, T>())
        return misuse::unsuited_operation;
    else
        return operation<Op, T> ? misuse::none : misuse::no_operation;
}

template <class T, class Codec>
constexpr misuse misuse_of_codec()
{
    if constexpr (has_operation_id<Codec>)
        return misuse::operation_last;
    else if constexpr (!has_codec_id<Codec> || !requires { Codec::lossless; })
        return misuse::no_codec;
    else if constexpr (!Codec::lossless && !floating_element<T>)
        return misuse::lossy_integers;
    else if constexpr (!codec<Codec, std::conditional_t<Codec::lossless, T, accumulator_t<T>>>)
        return misuse::unsuited_codec;
    else
        return misuse::none;
}

/// Of a call on one range, as far as all of them are alike.
template <class Net, class Data>
constexpr misuse misuse_in_place()
{
    constexpr auto net = misuse_of_transport<Net>();
    return net != misuse::none ? net : misuse_of_result<Data>();
}

/// Of a call from one range to another, as far as all of them are alike.
template <class Net, class In, class Out>
constexpr misuse misuse_of_both()
{
    if constexpr (misuse_of_transport<Net>() != misuse::none)
        return misuse_of_transport<Net>();
    else if constexpr (misuse_of_data<In>() != misuse::none)
        return misuse_of_data<In>();
    else if constexpr (misuse_of_result<Out>() != misuse::none)
        return misuse_of_result<Out>();
    else if constexpr (!std::same_as<std::ranges::range_value_t<In>,
                                     std::ranges::range_value_t<Out>>)
        return misuse::different_elements;
    else
        return misuse::none;
}

/// `Ranges`, if that is wrong with them, else what is wrong with operation and codec.
template <misuse Ranges, class Data, class Op, class Codec>
constexpr misuse misuse_of_call()
{
    if constexpr (Ranges != misuse::none) {
        return Ranges;
    } else {
        using T = std::ranges::range_value_t<Data>;
        constexpr auto op = misuse_of_operation<T, Op>();
        return op != misuse::none ? op : misuse_of_codec<T, Codec>();
    }
}

template <class Net, class In, class Out, class Op, class Codec>
constexpr misuse misuse_of_all_reduce()
{
    if constexpr (misuse_of_transport<Net>() == misuse::none && !names_data<Out>)
        return misuse::one_range;
    else
        return misuse_of_call<misuse_of_both<Net, In, Out>(), Out, Op, Codec>();
}

template <class Net, class Data, class Op, class Codec>
constexpr misuse misuse_of_all_reduce_in_place()
{
    if constexpr (misuse_of_transport<Net>() == misuse::none && names_data<Op>)
        return misuse::two_ranges;
    else
        return misuse_of_call<misuse_in_place<Net, Data>(), Data, Op, Codec>();
}

}  // namespace papilio::detail
