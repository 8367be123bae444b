#pragma once

#include "perf/job.hpp"

#include <papilio/async/task.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/op/base.hpp>
#include <papilio/transport/any_transport.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace papilio::perf {

/// A call whose collective, type, operation and codec are chosen at run time. `count` is the number
/// of elements of the whole vector. A null `in` means in place.
using call_function = task<report> (*)(any_transport net, const void* in, void* out,
                                       std::size_t count, call_options options);

/// Finds the call of a job. Null if papilio does not have it.
call_function find_call(const job& j, const std::string& codec);

/// The properties of a codec.
struct codec_facts {
    double bits_per_element = 32;  ///< average over a long run of floats
    double coarseness = 0;         ///< rounding error relative to the largest neighbour; 0: exact
};
codec_facts facts_of(const std::string& codec);

/// A codec's id, that of `identity` where it is none of a list; and an operation's.
codec_id codec_id_of(const std::string& codec);
op_id id_of(reduction op);

/// The names for --codec, "identity" first. "as-many-bytes" is not a codec: it is identity with
/// less data.
const std::vector<std::string_view>& codec_names();

}  // namespace papilio::perf
