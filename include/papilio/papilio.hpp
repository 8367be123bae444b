#pragma once

/// All that a first program takes: the collectives with their operations, the usual codecs, tasks
/// and loops, and the transports that need no more than the standard library; safe to include from
/// .cu files. Other codecs, `spawn` for use from other threads, TCP and shared memory, probes,
/// swarm and outer optimiser have headers of their own.

#include <papilio/async/gate.hpp>
#include <papilio/async/offload.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/topk.hpp>
#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/shrink.hpp>
#include <papilio/op.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/inproc.hpp>
#include <papilio/transport/subset.hpp>
