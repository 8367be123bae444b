#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/transport/any_transport.hpp>

#include <memory>
#include <vector>

// The collectives, whatever their elements are. The public functions around them know the types.
namespace papilio::inline PAPILIO_MODE::detail {

task<report> run_all_reduce(any_transport net, std::unique_ptr<call_data> data,
                            call_options options);

/// Reduces where the data lies, and puts back what it held if the call fails.
task<report> run_all_reduce_in_place(any_transport net, std::unique_ptr<call_data> data,
                                     call_options options);

task<report> run_reduce_scatter(any_transport net, std::unique_ptr<call_data> data,
                                call_options options);

task<report> run_all_gather(any_transport net, std::unique_ptr<call_data> data,
                            call_options options);

/// `data` has an input on the root alone.
task<report> run_broadcast(any_transport net, std::unique_ptr<call_data> data, int root,
                           call_options options);

task<report> run_barrier(any_transport net, call_options options);

/// The ranks of those who are left.
task<std::vector<int>> run_shrink(any_transport net, call_options options);

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/collective/impl/run.hpp>
#endif
