#pragma once

#include <papilio/codec/identity.hpp>
#include <papilio/collective/detail/call.hpp>
#include <papilio/collective/detail/call_run.hpp>
#include <papilio/collective/detail/engine.hpp>
#include <papilio/collective/detail/shadow.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/op/sum.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace papilio {

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
template <transport Net, detail::elements In, detail::writable_elements Out, class Op = sum,
          class Codec = identity>
task<report> reduce_scatter(Net& net, In&& in, Out&& out, Op op = {}, Codec codec = {},
                            call_options options = {});

// Options come last, and what stands between the data and them may be left out.

template <transport Net, detail::elements In, detail::writable_elements Out>
task<report> reduce_scatter(Net& net, In&& in, Out&& out, call_options options)
{
    return reduce_scatter(net, std::forward<In>(in), std::forward<Out>(out), sum{}, identity{},
                          options);
}

template <transport Net, detail::elements In, detail::writable_elements Out, class Op>
task<report> reduce_scatter(Net& net, In&& in, Out&& out, Op op, call_options options)
{
    return reduce_scatter(net, std::forward<In>(in), std::forward<Out>(out), op, identity{},
                          options);
}

namespace detail {

template <element T, class Op, class Codec>
task<report> reduce_scatter_spans(any_transport net, std::span<const T> in, std::span<T> out, Op op,
                                  Codec codec, call_options options)
{
    loop& on = co_await this_loop{};
    check_stages<Op>(options);
    const auto plan = plan_by_sizes(net.size(), in.size(), sizeof(T), codec, options);
    const auto mine = plan.parts[static_cast<std::size_t>(net.rank())];
    if (out.size() != mine.size) refuse("reduce_scatter: out is not as long as this peer's part");
    check_apart(in, out);

    // Sums on their way to others, in several stages, lie where their parts are in the whole.
    const bool staged = plan.stages.stages() > 1;
    const shadow<T> whole(staged ? in.size() : 0);
    const buffers<T> direct{.in = in, .out = out, .out_begin = mine.begin};
    const buffers<T> roomy{.in = in, .out = whole.get()};

    const auto call =
        describe<T, Op, Codec>(collective_id::reduce_scatter, net, in.size(), plan, options);
    call_run r(net, call, plan.roles, plan.stages, on.now(), options.timeout);
    engine<T, Op, Codec> mover(r, plan, halves::reduce_scatter, staged ? roomy : direct, op, codec,
                               options.pool);
    task<report> voted = r.run(mover.move());
    auto done = co_await std::move(voted);
    if (staged) std::ranges::copy(roomy.out.subspan(mine.begin, mine.size), out.begin());
    co_return done;
}

}  // namespace detail

template <transport Net, detail::elements In, detail::writable_elements Out, class Op, class Codec>
task<report> reduce_scatter(Net& net, In&& in, Out&& out, Op op, Codec codec, call_options options)
{
    using T = std::ranges::range_value_t<Out>;
    static_assert(std::same_as<std::ranges::range_value_t<In>, T>,
                  "in and out hold elements of different types");
    detail::check_kinds<T, Op, Codec>();
    return detail::reduce_scatter_spans<T, Op, Codec>(
        any_transport(net), {std::ranges::data(in), std::ranges::size(in)},
        {std::ranges::data(out), std::ranges::size(out)}, op, codec, options);
}

}  // namespace papilio
