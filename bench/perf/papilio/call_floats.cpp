#include "perf/papilio/call_with.hpp"

namespace papilio::perf {

template call_function plain_call<float>(reduction);
template call_function plain_call<double>(reduction);

}  // namespace papilio::perf
