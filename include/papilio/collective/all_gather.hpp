#pragma once

#include <papilio/codec/identity.hpp>
#include <papilio/collective/detail/call.hpp>
#include <papilio/collective/detail/call_run.hpp>
#include <papilio/collective/detail/engine.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/op/sum.hpp>

#include <span>
#include <utility>
#include <vector>

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

namespace detail {

template <element T, class Codec>
task<report> all_gather_spans(any_transport net, std::span<const T> in, std::span<T> out,
                              Codec codec, call_options options)
{
    loop& on = co_await this_loop{};
    const auto plan = plan_by_sizes(net.size(), out.size(), sizeof(T), codec, options);
    const auto mine = plan.parts[static_cast<std::size_t>(net.rank())];
    if (in.size() != mine.size) refuse("all_gather: in is not as long as this peer's part");
    check_apart(in, out);

    const auto call =
        describe<T, sum, Codec>(collective_id::all_gather, net, out.size(), plan, options);
    call_run r(net, call, plan.roles, plan.stages, on.now(), options.timeout);
    engine<T, sum, Codec> mover(r, plan, halves::all_gather,
                                {.in = in, .out = out, .in_begin = mine.begin}, {}, codec,
                                options.pool);
    task<report> voted = r.run(mover.move());
    auto done = co_await std::move(voted);
    std::vector<contributions> owners;
    for (const auto& all = done.made_of.front().from; const auto& owner : all)
        owners.push_back({plan.parts[static_cast<std::size_t>(owner.rank)], {owner}});
    done.made_of = std::move(owners);
    co_return done;
}

}  // namespace detail

template <transport Net, detail::elements In, detail::writable_elements Out, class Codec>
task<report> all_gather(Net& net, In&& in, Out&& out, Codec codec, call_options options)
{
    using T = std::ranges::range_value_t<Out>;
    static_assert(std::same_as<std::ranges::range_value_t<In>, T>,
                  "in and out hold elements of different types");
    detail::check_kinds<T, sum, Codec>();
    return detail::all_gather_spans<T, Codec>(
        any_transport(net), {std::ranges::data(in), std::ranges::size(in)},
        {std::ranges::data(out), std::ranges::size(out)}, codec, options);
}

}  // namespace papilio
