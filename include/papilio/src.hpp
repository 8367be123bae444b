#pragma once

/// Include this in one translation unit of a program that is compiled with
/// `PAPILIO_SEPARATE_COMPILATION`: it defines what the other headers declare. TCP, shared memory
/// and the real loop are among it where the compiler finds standalone Asio.

#ifndef PAPILIO_SEPARATE_COMPILATION
#error "papilio/src.hpp is for programs that define PAPILIO_SEPARATE_COMPILATION everywhere"
#endif

#include <papilio/collective/impl/agree_links.hpp>
#include <papilio/collective/impl/run.hpp>
#include <papilio/sim/impl/world.hpp>

#if __has_include(<asio/io_context.hpp>)
#include <papilio/async/impl/asio_loop.hpp>
#include <papilio/transport/impl/hybrid.hpp>
#include <papilio/transport/impl/mesh.hpp>
#include <papilio/transport/impl/shm.hpp>
#include <papilio/transport/impl/tcp.hpp>
#endif
