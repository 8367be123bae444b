#pragma once

#include <time.h>

#include <chrono>

namespace papilio::example {

/// The processor time that this process has taken so far, with all its threads.
inline std::chrono::duration<double> processor_time()
{
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace papilio::example
