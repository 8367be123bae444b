#pragma once

#include <papilio/codec/identity.hpp>
#include <papilio/collective/agreement/call_run.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/collective/setup/checks.hpp>
#include <papilio/op/sum.hpp>

#include <cstdint>

namespace papilio {

/// Ends when every peer of `net` has begun it: a vote about nothing. One latency, or one for each
/// stage of `options.radix`. Fails as every collective does, by a `call_error` that names the
/// culprit.
template <transport Net>
task<report> barrier(Net& net, call_options options = {});

namespace detail {

inline task<report> run_barrier(any_transport net, call_options options)
{
    loop& on = co_await this_loop{};
    const auto kind = kind_of<std::uint8_t, sum>(identity{});
    const auto plan = plan_by_shares(net.size(), 0, kind, options);
    const auto described = describe(collective_id::barrier, net, 0, kind, plan, options);
    call_run call(net, described, plan, on.now(), options.timeout);
    const auto nothing = []() -> task<> { co_return; };
    task<report> voted = call.run(nothing());
    co_return co_await std::move(voted);
}

}  // namespace detail

template <transport Net>
task<report> barrier(Net& net, call_options options)
{
    return detail::run_barrier(any_transport(net), options);
}

}  // namespace papilio
