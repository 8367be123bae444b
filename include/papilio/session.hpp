#pragma once

// Calls that block or return a future, from any thread, and the operations and codecs that they
// take. By C++20 without coroutines and without Asio: safe to include from .cu files.

#include <papilio/codec.hpp>
#include <papilio/op.hpp>
#include <papilio/session/communicator.hpp>
#include <papilio/session/problem.hpp>
#include <papilio/session/session.hpp>
#include <papilio/session/session_host.hpp>
