#pragma once

#include "perf/job.hpp"

#include <papilio/async/task.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/transport/any_transport.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace papilio::perf {

/// A call whose collective, type, operation and codec are known at run time, of `count` elements of
/// the whole vector. Without `in`, in place.
using call_function = task<report> (*)(any_transport net, const void* in, void* out,
                                       std::size_t count, call_options options);

/// Null where there is no such call.
call_function find_call(const job& j, const std::string& codec);

/// What a codec does to data.
struct codec_facts {
    double bits_per_element = 32;  ///< of a long run of floats
    double coarseness = 0;         ///< rounding error relative to the largest neighbour; 0: none
};
codec_facts facts_of(const std::string& codec);

/// "identity" first; "as-many-bytes" is no codec of its own.
const std::vector<std::string_view>& codec_names();

}  // namespace papilio::perf
