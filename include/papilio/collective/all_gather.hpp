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
///
/// With `options.salvage` the part of a peer that is lost is there if all of it had come to others
/// who are left, in one piece or in several. Else no peer has it: `report::made_of` leaves its
/// range out, in which `out` is unspecified.
template <class Net, class In, class Out, detail::no_options Codec = identity>
task<report> all_gather(Net&& net, In&& in, Out&& out, Codec codec = {}, call_options options = {});

// Options come last, and the codec before them may be left out.

template <class Net, class In, class Out>
task<report> all_gather(Net&& net, In&& in, Out&& out, call_options options)
{
    return all_gather(std::forward<Net>(net), std::forward<In>(in), std::forward<Out>(out),
                      identity{}, options);
}

template <class Net, class In, class Out, detail::no_options Codec>
task<report> all_gather(Net&& net, In&& in, Out&& out, Codec codec, call_options options)
{
    constexpr auto wrong =
        detail::misuse_of_call<detail::misuse_of_both<Net, In, Out>(), Out, sum, Codec>();
    if constexpr (!detail::allowed<wrong>()) {
        return detail::refused();
    } else {
        using T = std::ranges::range_value_t<Out>;
        return detail::run_all_gather(
            any_transport(net),
            detail::make_call_data<T>({std::ranges::data(in), std::ranges::size(in)},
                                      {std::ranges::data(out), std::ranges::size(out)}, sum{},
                                      codec),
            options);
    }
}

// Refused with a sentence: options that do not come last. These bind `net` more loosely, so that
// `{}` for what may be left out is no misuse.

template <class Net, class In, class Out, class First, class... Rest>
task<report> all_gather(const Net&, In&&, Out&&, call_options, First, Rest...)
{
    return detail::refuse<detail::misuse::early_options, Net>();
}

}  // namespace papilio
