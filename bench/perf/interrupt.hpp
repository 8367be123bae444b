#pragma once

namespace papilio::perf {

/// Makes SIGINT, SIGTERM and SIGHUP interrupt waits. The program can then clean up before it ends.
void watch_for_interrupts();

/// Throws if such a signal has arrived.
void throw_if_interrupted();

/// Sleeps. Throws if a signal interrupts it.
void wait_seconds(double seconds);

}  // namespace papilio::perf
