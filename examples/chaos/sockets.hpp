#pragma once

#include <sys/types.h>

#include <string>

// Faults of links, from outside: what happens to the sockets of other processes. Linux lends them
// to whoever may trace the process, as its parent may.
namespace papilio::example::chaos {

/// Why no process can borrow the sockets of its children here; empty: it can.
std::string why_not_borrow();

/// Why what arrives at a borrowed socket cannot be dropped here; empty: it can.
std::string why_not_drop();

/// Ends all TCP connections between two processes. Returns how many there were.
int end_connections(pid_t a, pid_t b);

/// Has the system drop all that arrives from `from` at the connections that `at` has with it now,
/// before it is acknowledged. New connections are not affected.
void drop_arrivals(pid_t at, pid_t from);

/// Ends this for all connections of `at`.
void let_arrive(pid_t at);

}  // namespace papilio::example::chaos
