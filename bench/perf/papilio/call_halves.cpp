#include "perf/papilio/call_with.hpp"

namespace papilio::perf {

template call_function plain_call<f16>(reduction);
template call_function plain_call<bf16>(reduction);

}  // namespace papilio::perf
