#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

/// The operation in the descriptor of a call. Zero is no operation; values from 128 on are for
/// users' operations.
enum class op_id : std::uint8_t {
    sum = 1,
    mean = 2,
    weighted_mean = 3,
    min = 4,
    max = 5,
    prod = 6,
    exact_mean = 7,
    first_user = 128,
};

// clang-format off

/// Reduces one contribution of a range per peer into one result: `op.reduce(contributions, weights,
/// out)`.
///
/// `contributions` holds at least one and comes in rank order; all are as long as `out` and none
/// overlaps it. Peers of weight 0 have none. `weights` has one weight per contribution, above 0;
/// operations that know no weights ignore it. An operation reduces in `accumulator_t<T>`, in rank
/// order, and rounds once to `T`, so that whoever repeats the computation gets the same bits;
/// element i of `out` depends on nothing but element i of the contributions, so that any cut into
/// chunks does too.
///
/// In a call of several stages, results are reduced once more. An operation for which that is wrong
/// says `static constexpr bool in_stages = false`, and such calls refuse it. One for which that is
/// right even if some results were made of more contributions than others says `static constexpr
/// bool uneven_stages = true`, and such calls take weights of 0; others refuse them. That may take
/// another operation, by whose weights each result counts for as many contributions as it is made
/// of: `using of_results = weighted_mean`. One that does not take every element says which by
/// `template <class T> static constexpr bool takes`.
template <class Op, class T>
concept operation = element<T> && std::is_trivially_destructible_v<Op> &&
    requires(const Op& op, std::span<const std::span<const T>> contributions,
             std::span<const double> weights, std::span<T> out) {
        { Op::id } -> std::convertible_to<op_id>;
        op.reduce(contributions, weights, out);
    };

/// An operation that adds the contributions up in rank order, beginning with the first, and then
/// does `finish(sums, count)`, in place, given how many there were. Whoever decodes contributions
/// may then add them as they are decoded.
template <class Op, class T>
concept adding_operation = operation<Op, T> && std::same_as<accumulator_t<T>, T> &&
    requires(const Op& op, std::span<T> sums, std::size_t count) {
        { op.finish(sums, count) } -> std::same_as<void>;
    };

// clang-format on

namespace detail {
/// Whether what the operation makes of contributions may be a contribution of the next stage.
template <class Op>
constexpr bool suits_stages()
{
    if constexpr (requires { Op::in_stages; })
        return Op::in_stages;
    else
        return true;
}

/// Whether that is right if some results were made of more contributions than others.
template <class Op>
constexpr bool suits_uneven_stages()
{
    if constexpr (requires { Op::uneven_stages; })
        return Op::uneven_stages;
    else
        return false;
}

/// Whether results are weighed by the number of contributions that they are made of.
template <class Op>
constexpr bool counts_results()
{
    return requires
    {
        typename Op::of_results;
    };
}

template <class Op, class T>
constexpr bool operation_takes()
{
    if constexpr (requires { Op::template takes<T>; })
        return Op::template takes<T>;
    else
        return true;
}
}  // namespace detail

}  // namespace papilio
