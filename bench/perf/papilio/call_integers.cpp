#include "perf/papilio/call_with.hpp"

namespace papilio::perf {

template call_function plain_call<std::int32_t>(reduction);
template call_function plain_call<std::uint32_t>(reduction);
template call_function plain_call<std::int64_t>(reduction);
template call_function plain_call<std::uint64_t>(reduction);

}  // namespace papilio::perf
