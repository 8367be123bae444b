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
#include <span>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// Combines the data of all peers of `net` and gives every one of them the same result, bit for
/// bit: `out[i]` becomes `op` over the `in[i]` of all contributors, in rank order.
///
/// `op` says how contributions become one (`sum`, `mean`, `weighted_mean`, `min`, `max`, `prod`),
/// `codec` how elements travel. `net` is a `transport`. `in` and `out` are contiguous ranges of one
/// type of `element`, as long on every peer, that do not overlap, and outlive the task; `in` may be
/// empty where the peer contributes nothing, by its role or by a weight of 0. An auxiliary's `out`
/// is as long, too, but it declines the parts of others: they are not sent to it, and only its own
/// part of `out` is the result, unless `options.auxiliaries_receive`, or the call has stages.
///
/// The method is a reduce-scatter and an all-gather that overlap, chunk by chunk: each peer sends
/// and receives about 2 (n - 1) / n times the data, and a lossy codec rounds twice whatever n is.
/// `options.radix` has it go through the stages of a butterfly instead, where each peer meets fewer
/// others, a lossy codec rounds once more for each further stage, and contributions are combined in
/// rank order stage by stage. Many peers that share a host do so by themselves, where nothing
/// rounds more often for it: a sum is then added up in another order than between hosts, and still
/// has the same bits on all peers. Little data goes from everybody to everybody, which spares a
/// latency and gives the same bits.
///
/// It ends with a vote; unless every peer holds the whole result, the call fails on every peer
/// that learns of it, by a `call_error` that names the culprit. Then `in` is untouched, and `out`
/// unspecified. With `options.salvage` the others finish it without peers that are lost, as long as
/// these are less than half.
template <class Net, class In, class Out, detail::no_options Op = sum,
          detail::no_options Codec = identity>
task<report> all_reduce(Net&& net, In&& in, Out&& out, Op op = {}, Codec codec = {},
                        call_options options = {});

/// The same with the result in place of the data, whose elements are overwritten one range after
/// another while the call runs. On an error, and if the task is dropped, `data` holds again what it
/// held: that is saved before it is overwritten, which takes as much memory again. The loop keeps
/// the memory for later calls (`loop::release_memory`).
///
/// With `options.on_error = on_error::undefined` nothing is saved: if the call fails or is dropped,
/// some elements are results and others are what they were, and nothing tells which.
template <class Net, class Data, detail::no_options Op = sum, detail::no_options Codec = identity>
task<report> all_reduce_in_place(Net&& net, Data&& data, Op op = {}, Codec codec = {},
                                 call_options options = {});

// Options come last, and what stands between the data and them may be left out.

template <class Net, class In, class Out>
task<report> all_reduce(Net&& net, In&& in, Out&& out, call_options options)
{
    return all_reduce(std::forward<Net>(net), std::forward<In>(in), std::forward<Out>(out), sum{},
                      identity{}, options);
}

template <class Net, class In, class Out, class Op>
task<report> all_reduce(Net&& net, In&& in, Out&& out, Op op, call_options options)
{
    return all_reduce(std::forward<Net>(net), std::forward<In>(in), std::forward<Out>(out), op,
                      identity{}, options);
}

template <class Net, class Data>
task<report> all_reduce_in_place(Net&& net, Data&& data, call_options options)
{
    return all_reduce_in_place(std::forward<Net>(net), std::forward<Data>(data), sum{}, identity{},
                               options);
}

template <class Net, class Data, class Op>
task<report> all_reduce_in_place(Net&& net, Data&& data, Op op, call_options options)
{
    return all_reduce_in_place(std::forward<Net>(net), std::forward<Data>(data), op, identity{},
                               options);
}

template <class Net, class In, class Out, detail::no_options Op, detail::no_options Codec>
task<report> all_reduce(Net&& net, In&& in, Out&& out, Op op, Codec codec, call_options options)
{
    constexpr auto wrong = detail::misuse_of_all_reduce<Net, In, Out, Op, Codec>();
    if constexpr (!detail::allowed<wrong>()) {
        return detail::refused();
    } else {
        using T = std::ranges::range_value_t<Out>;
        return detail::run_all_reduce(
            any_transport(net),
            detail::make_call_data<T>({std::ranges::data(in), std::ranges::size(in)},
                                      {std::ranges::data(out), std::ranges::size(out)}, op, codec),
            options);
    }
}

template <class Net, class Data, detail::no_options Op, detail::no_options Codec>
task<report> all_reduce_in_place(Net&& net, Data&& data, Op op, Codec codec, call_options options)
{
    constexpr auto wrong = detail::misuse_of_all_reduce_in_place<Net, Data, Op, Codec>();
    if constexpr (!detail::allowed<wrong>()) {
        return detail::refused();
    } else {
        using T = std::ranges::range_value_t<Data>;
        const std::span<T> all(std::ranges::data(data), std::ranges::size(data));
        return detail::run_all_reduce_in_place(
            any_transport(net), detail::make_call_data<T>(all, all, op, codec), options);
    }
}

// Refused with a sentence: a forgotten `out`, and options that do not come last. The latter bind
// `net` more loosely, so that `{}` for what may be left out is no misuse.

template <class Net, class Data>
task<report> all_reduce(Net&&, Data&&, call_options = {})
{
    return detail::refuse<detail::misuse::one_range, Net>();
}

template <class Net, class In, class Out, class First, class... Rest>
task<report> all_reduce(const Net&, In&&, Out&&, call_options, First, Rest...)
{
    return detail::refuse<detail::misuse::early_options, Net>();
}

template <class Net, class In, class Out, class Op, class Codec>
task<report> all_reduce(const Net&, In&&, Out&&, Op, call_options, Codec)
{
    return detail::refuse<detail::misuse::early_options, Net>();
}

template <class Net, class Data, class First, class... Rest>
task<report> all_reduce_in_place(const Net&, Data&&, call_options, First, Rest...)
{
    return detail::refuse<detail::misuse::early_options, Net>();
}

template <class Net, class Data, class Op, class Codec>
task<report> all_reduce_in_place(const Net&, Data&&, Op, call_options, Codec)
{
    return detail::refuse<detail::misuse::early_options, Net>();
}

}  // namespace papilio
