#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/op/base.hpp>
#include <papilio/op/exact_mean.hpp>
#include <papilio/op/max.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/op/min.hpp>
#include <papilio/op/prod.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/op/weighted_mean.hpp>

#include <string>
#include <system_error>

// An operation chosen at run time. A call is compiled for each operation in the list.
namespace papilio::inline PAPILIO_MODE {

/// Operations that can be chosen by id. Each must be default-constructible.
template <class... Ops>
struct op_list {
};

/// All operations on floats.
using all_ops = op_list<sum, mean, weighted_mean, min, max, prod, exact_mean>;

/// Those on integers, too: a mean would have to round.
using integer_ops = op_list<sum, min, max, prod>;

namespace detail {
template <class First, class... Rest, class F>
auto with_op_of(op_list<First, Rest...>, op_id id, F& f) -> decltype(f(First{}))
{
    if (First::id == id) return f(First{});
    if constexpr (sizeof...(Rest) > 0)
        return with_op_of(op_list<Rest...>{}, id, f);
    else
        throw std::system_error(
            errc::bad_argument,
            "the operation must be one of those that this call offers, not that with id " +
                std::to_string(static_cast<unsigned>(id)));
}
}  // namespace detail

/// Returns `f(op)` for the operation in the list that has this id. `f` must return the same type
/// for all of them. Throws `errc::bad_argument` when none has the id.
template <class... Ops, class F>
auto with_op(op_list<Ops...> list, op_id id, F&& f)
{
    return detail::with_op_of(list, id, f);
}

/// The same with `all_ops`.
template <class F>
auto with_op(op_id id, F&& f)
{
    return with_op(all_ops{}, id, f);
}

}  // namespace papilio
