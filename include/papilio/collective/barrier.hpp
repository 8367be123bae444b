#pragma once

#include <papilio/codec/identity.hpp>
#include <papilio/collective/detail/call.hpp>
#include <papilio/collective/detail/call_run.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/op/sum.hpp>

#include <cstdint>

namespace papilio {

/// Ends when every peer of `net` has begun it: a vote about nothing. One latency, or one for each
/// stage of `options.radix`. Fails as every collective does, by a `call_error` that names the
/// culprit.
template <transport Net>
task<report> barrier(Net& net, call_options options = {});

namespace detail {

inline task<report> barrier_on(any_transport net, call_options options)
{
    loop& on = co_await this_loop{};
    const auto plan = plan_by_shares(net.size(), 0, 1, identity{}, options);
    const auto call =
        describe<std::uint8_t, sum, identity>(collective_id::barrier, net, 0, plan, options);
    call_run r(net, call, plan.roles, plan.stages, on.now(), options.timeout);
    const auto nothing = []() -> task<> { co_return; };
    task<report> voted = r.run(nothing());
    co_return co_await std::move(voted);
}

}  // namespace detail

template <transport Net>
task<report> barrier(Net& net, call_options options)
{
    return detail::barrier_on(any_transport(net), options);
}

}  // namespace papilio
