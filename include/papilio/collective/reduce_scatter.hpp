#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/collective/setup/misuse_of.hpp>
#include <papilio/op/sum.hpp>

#include <concepts>
#include <ranges>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// Combines the data of all peers of `net` and leaves each with its part of the result: the first
/// half of an all_reduce. The whole vector, `in`, is cut into one part per peer, in rank order:
/// nearly equal ones, of which the first take the remainder, or as `options.sizes` says. `out` is
/// this peer's part: `out[i]` becomes `op`, in rank order, over all peers' `in[begin + i]`.
///
/// `in` is as long on every peer; the ranges do not overlap and outlive the task. Each peer sends
/// and receives about (n - 1) / n times the data; a lossy codec rounds once per stage, and what an
/// owner keeps is not rounded again. With `options.radix` of several stages the call takes as much
/// memory as `in` beside the two.
///
/// A call succeeds when every peer has its part, and fails as an all_reduce does: `in` is
/// untouched, `out` unspecified, and the `call_error` names the culprit.
template <class Net, class In, class Out, detail::no_options Op = sum,
          detail::no_options Codec = identity>
task<report> reduce_scatter(Net&& net, In&& in, Out&& out, Op op = {}, Codec codec = {},
                            call_options options = {});

// Options come last, and what stands between the data and them may be left out.

template <class Net, class In, class Out>
task<report> reduce_scatter(Net&& net, In&& in, Out&& out, call_options options)
{
    return reduce_scatter(std::forward<Net>(net), std::forward<In>(in), std::forward<Out>(out),
                          sum{}, identity{}, options);
}

template <class Net, class In, class Out, class Op>
task<report> reduce_scatter(Net&& net, In&& in, Out&& out, Op op, call_options options)
{
    return reduce_scatter(std::forward<Net>(net), std::forward<In>(in), std::forward<Out>(out), op,
                          identity{}, options);
}

template <class Net, class In, class Out, detail::no_options Op, detail::no_options Codec>
task<report> reduce_scatter(Net&& net, In&& in, Out&& out, Op op, Codec codec, call_options options)
{
    constexpr auto wrong =
        detail::misuse_of_call<detail::misuse_of_both<Net, In, Out>(), Out, Op, Codec>();
    if constexpr (!detail::allowed<wrong>()) {
        return detail::refused();
    } else {
        using T = std::ranges::range_value_t<Out>;
        return detail::run_reduce_scatter(
            any_transport(net),
            detail::make_call_data<T>({std::ranges::data(in), std::ranges::size(in)},
                                      {std::ranges::data(out), std::ranges::size(out)}, op, codec),
            options);
    }
}

// Refused with a sentence: options that do not come last. These bind `net` more loosely, so that
// `{}` for what may be left out is no misuse.

template <class Net, class In, class Out, class First, class... Rest>
task<report> reduce_scatter(const Net&, In&&, Out&&, call_options, First, Rest...)
{
    return detail::refuse<detail::misuse::early_options, Net>();
}

template <class Net, class In, class Out, class Op, class Codec>
task<report> reduce_scatter(const Net&, In&&, Out&&, Op, call_options, Codec)
{
    return detail::refuse<detail::misuse::early_options, Net>();
}

}  // namespace papilio
