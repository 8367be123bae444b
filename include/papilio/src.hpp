#pragma once

/// Include this in one translation unit of a program that is compiled with
/// `PAPILIO_SEPARATE_COMPILATION`: it defines what the other headers declare. TCP, shared memory
/// and the real loop are among it where the compiler finds standalone Asio.

#ifndef PAPILIO_SEPARATE_COMPILATION
#error "papilio/src.hpp is for programs that define PAPILIO_SEPARATE_COMPILATION everywhere"
#endif

#include <papilio/async/impl/loop.hpp>
#include <papilio/async/impl/thread_loop.hpp>
#include <papilio/base/impl/buffer_pool.hpp>
#include <papilio/base/impl/crc32c.hpp>
#include <papilio/base/impl/error.hpp>
#include <papilio/base/impl/kept_memory.hpp>
#include <papilio/base/impl/public_key.hpp>
#include <papilio/base/impl/sha256.hpp>
#include <papilio/codec/impl/further_kernels.hpp>
#include <papilio/codec/impl/kernels.hpp>
#include <papilio/collective/agreement/impl/call_run.hpp>
#include <papilio/collective/agreement/impl/contribution_weights.hpp>
#include <papilio/collective/agreement/impl/view_run.hpp>
#include <papilio/collective/agreement/impl/voter.hpp>
#include <papilio/collective/agreement/impl/voter_end.hpp>
#include <papilio/collective/agreement/impl/voter_views.hpp>
#include <papilio/collective/impl/agree_links.hpp>
#include <papilio/collective/impl/call_error.hpp>
#include <papilio/collective/impl/run.hpp>
#include <papilio/sim/impl/faults.hpp>
#include <papilio/sim/impl/reshape.hpp>
#include <papilio/sim/impl/transport.hpp>
#include <papilio/sim/impl/world.hpp>
#include <papilio/swarm/impl/key_file.hpp>
#include <papilio/swarm/impl/membership.hpp>
#include <papilio/swarm/impl/membership_state.hpp>
#include <papilio/swarm/impl/rendezvous_client.hpp>
#include <papilio/swarm/impl/rendezvous_server.hpp>
#include <papilio/transport/impl/early_messages.hpp>
#include <papilio/transport/impl/inproc.hpp>
#include <papilio/transport/impl/mailbox.hpp>
#include <papilio/transport/impl/pending_receive.hpp>

#if __has_include(<asio/io_context.hpp>)
#include <papilio/async/impl/asio_loop.hpp>
#include <papilio/session/impl/catch_up.hpp>
#include <papilio/session/impl/communicator.hpp>
#include <papilio/session/impl/elastic_member.hpp>
#include <papilio/session/impl/endpoint_text.hpp>
#include <papilio/session/impl/mean_bytes.hpp>
#include <papilio/session/impl/member_network.hpp>
#include <papilio/session/impl/member_services.hpp>
#include <papilio/session/impl/run_client.hpp>
#include <papilio/session/impl/session.hpp>
#include <papilio/session/impl/session_host.hpp>
#include <papilio/transport/impl/hybrid.hpp>
#include <papilio/transport/impl/mesh.hpp>
#include <papilio/transport/impl/peer_link.hpp>
#include <papilio/transport/impl/peer_links.hpp>
#include <papilio/transport/impl/shm.hpp>
#include <papilio/transport/impl/tcp.hpp>
#include <papilio/transport/impl/tcp/channel.hpp>
#include <papilio/transport/impl/tcp/listener.hpp>
#endif
