#pragma once

#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/transport/any_transport.hpp>

namespace papilio {

/// Ends when every peer of `net` has begun it: a vote about nothing. One latency, or one for each
/// stage of `options.radix`. Fails as every collective does, by a `call_error` that names the
/// culprit.
template <transport Net>
task<report> barrier(Net& net, call_options options = {})
{
    return detail::run_barrier(any_transport(net), options);
}

}  // namespace papilio
