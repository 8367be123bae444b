#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/collective/setup/misuse_of.hpp>
#include <papilio/transport/any_transport.hpp>

namespace papilio::inline PAPILIO_MODE {

/// Ends when every peer of `net` has begun it: a vote about nothing. One latency, or one for each
/// stage of `options.radix`. Fails as every collective does, by a `call_error` that names the
/// culprit.
///
/// With `options.salvage` it ends without peers that are lost, and the report says who was there;
/// peers that end it while somebody is being lost may report other ones.
template <class Net>
task<report> barrier(Net&& net, call_options options = {});

template <class Net>
task<report> barrier(Net&& net, call_options options)
{
    if constexpr (!detail::allowed<detail::misuse_of_transport<Net>()>())
        return detail::refused();
    else
        return detail::run_barrier(any_transport(net), options);
}

}  // namespace papilio
