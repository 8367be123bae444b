#pragma once

/// All that a collective takes, over any transport, but for what needs more than the standard
/// library; safe to include from .cu files. Probes, swarm and outer optimiser have headers of their
/// own.

#include <papilio/async/gate.hpp>
#include <papilio/async/offload.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/spawn.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/codec.hpp>
#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/op.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/inproc.hpp>
#include <papilio/transport/subset.hpp>
