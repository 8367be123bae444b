#pragma once

namespace papilio::perf {

/// From now on Ctrl-C and SIGTERM interrupt what waits, so that everything is cleaned up.
void watch_for_interrupts();

/// Throws when one has come.
void throw_if_interrupted();

/// Sleeps; throws when interrupted.
void wait_seconds(double seconds);

}  // namespace papilio::perf
