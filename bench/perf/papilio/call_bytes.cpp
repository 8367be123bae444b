#include "perf/papilio/call_with.hpp"

namespace papilio::perf {

template call_function plain_call<std::int8_t>(reduction);
template call_function plain_call<std::uint8_t>(reduction);

}  // namespace papilio::perf
