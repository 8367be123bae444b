#pragma once

// Included by both units of the consumer: linking them proves that papilio defines nothing twice.

#include <papilio/papilio.hpp>

#ifdef WITH_TCP
#include <papilio/transport/tcp.hpp>
#endif

#include <vector>

namespace pa = papilio;

/// Averages the ranks of two peers, a thousand times over.
pa::task<std::vector<float>> average_of_both(pa::inproc::group& peers);
