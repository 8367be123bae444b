#pragma once

#include <papilio/codec/identity.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/collective/setup/arguments.hpp>
#include <papilio/op/sum.hpp>

#include <concepts>
#include <ranges>
#include <utility>

namespace papilio {

/// Gives every peer of `net` the parts of all, one after the other in rank order: the second half
/// of an all_reduce. `in` is this peer's part and `out` the whole; parts are nearly equal, the
/// first taking the remainder, or as long as `options.sizes` says.
///
/// `out` is as long on every peer; the ranges do not overlap and outlive the task. Every peer ends
/// with the same bits, the owner of a part too: under a lossy codec each part is rounded once.
/// Data is sent unasked, so that little takes two latencies, one of them for the vote.
///
/// A call succeeds when every peer has the whole, and fails as an all_reduce does: `in` is
/// untouched, `out` unspecified, and the `call_error` names the culprit. The report says whose
/// each range is.
template <transport Net, detail::elements In, detail::writable_elements Out, class Codec = identity>
task<report> all_gather(Net& net, In&& in, Out&& out, Codec codec = {}, call_options options = {});

// Options come last, and the codec before them may be left out.

template <transport Net, detail::elements In, detail::writable_elements Out>
task<report> all_gather(Net& net, In&& in, Out&& out, call_options options)
{
    return all_gather(net, std::forward<In>(in), std::forward<Out>(out), identity{}, options);
}

template <transport Net, detail::elements In, detail::writable_elements Out, class Codec>
task<report> all_gather(Net& net, In&& in, Out&& out, Codec codec, call_options options)
{
    using T = std::ranges::range_value_t<Out>;
    static_assert(std::same_as<std::ranges::range_value_t<In>, T>,
                  "in and out hold elements of different types");
    detail::check_kinds<T, sum, Codec>();
    return detail::run_all_gather(
        any_transport(net),
        detail::make_call_data<T>({std::ranges::data(in), std::ranges::size(in)},
                                  {std::ranges::data(out), std::ranges::size(out)}, sum{}, codec),
        options);
}

}  // namespace papilio
