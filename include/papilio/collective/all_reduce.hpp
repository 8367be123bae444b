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
#include <span>
#include <utility>

namespace papilio {

/// Combines the data of all peers of `net` and gives every one of them the same result, bit for
/// bit: `out[i]` becomes `op` over the `in[i]` of all contributors, in rank order.
///
/// `op` says how versions become one (`sum`, `mean`, `weighted_mean`, `min`, `max`, `prod`),
/// `codec` how elements travel. `in` and `out` are as long on every peer, do not overlap, and
/// outlive the task; `in` may be empty where the peer's role is to contribute nothing.
///
/// The method is a reduce-scatter and an all-gather that overlap, chunk by chunk: each peer sends
/// and receives about 2 (n - 1) / n times the data, and a lossy codec rounds twice whatever n is.
/// `options.radix` has it go through the stages of a butterfly instead, where each peer meets fewer
/// others, a lossy codec rounds once more for each further stage, and versions are combined in rank
/// order stage by stage. Little data goes from everybody to everybody, which spares a latency and
/// gives the same bits.
///
/// It ends with a vote; unless every peer holds the whole result, the call fails on every peer
/// that learns of it, by a `call_error` that names the culprit. Then `in` is untouched, and `out`
/// unspecified.
template <transport Net, detail::elements In, detail::writable_elements Out, class Op = sum,
          class Codec = identity>
task<report> all_reduce(Net& net, In&& in, Out&& out, Op op = {}, Codec codec = {},
                        call_options options = {});

/// The same with the result in place of the data. On an error `data` is untouched: the result is
/// built elsewhere, which takes as much memory again, and copied at the end.
template <transport Net, detail::writable_elements Data, class Op = sum, class Codec = identity>
task<report> all_reduce_in_place(Net& net, Data&& data, Op op = {}, Codec codec = {},
                                 call_options options = {});

// Options come last, and what stands between the data and them may be left out.

template <transport Net, detail::elements In, detail::writable_elements Out>
task<report> all_reduce(Net& net, In&& in, Out&& out, call_options options)
{
    return all_reduce(net, std::forward<In>(in), std::forward<Out>(out), sum{}, identity{},
                      options);
}

template <transport Net, detail::elements In, detail::writable_elements Out, class Op>
task<report> all_reduce(Net& net, In&& in, Out&& out, Op op, call_options options)
{
    return all_reduce(net, std::forward<In>(in), std::forward<Out>(out), op, identity{}, options);
}

template <transport Net, detail::writable_elements Data>
task<report> all_reduce_in_place(Net& net, Data&& data, call_options options)
{
    return all_reduce_in_place(net, std::forward<Data>(data), sum{}, identity{}, options);
}

template <transport Net, detail::writable_elements Data, class Op>
task<report> all_reduce_in_place(Net& net, Data&& data, Op op, call_options options)
{
    return all_reduce_in_place(net, std::forward<Data>(data), op, identity{}, options);
}

template <transport Net, detail::elements In, detail::writable_elements Out, class Op, class Codec>
task<report> all_reduce(Net& net, In&& in, Out&& out, Op op, Codec codec, call_options options)
{
    using T = std::ranges::range_value_t<Out>;
    static_assert(std::same_as<std::ranges::range_value_t<In>, T>,
                  "in and out hold elements of different types");
    detail::check_kinds<T, Op, Codec>();
    return detail::run_all_reduce(
        any_transport(net),
        detail::make_call_data<T>({std::ranges::data(in), std::ranges::size(in)},
                                  {std::ranges::data(out), std::ranges::size(out)}, op, codec),
        options);
}

template <transport Net, detail::writable_elements Data, class Op, class Codec>
task<report> all_reduce_in_place(Net& net, Data&& data, Op op, Codec codec, call_options options)
{
    using T = std::ranges::range_value_t<Data>;
    detail::check_kinds<T, Op, Codec>();
    const std::span<T> all(std::ranges::data(data), std::ranges::size(data));
    return detail::run_all_reduce_staged(any_transport(net),
                                         detail::make_call_data<T>(all, all, op, codec), options);
}

/// Refuses to compile: whoever forgets `out` would otherwise lose the data.
template <class Net, class Data, class... How>
requires(!std::ranges::range<How> && ...) task<report> all_reduce(Net&, Data&&, How...)
{
    static_assert(sizeof(Net) == 0,
                  "all_reduce takes in and out: to put the result in place of the data, call "
                  "all_reduce_in_place(net, data, op, codec, options)");
    return task<report>({});
}

}  // namespace papilio
