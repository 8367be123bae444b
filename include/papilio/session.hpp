#pragma once

// The floor that trainers stand on: calls that block or return a future, from any thread. Declares
// only, by C++20 without coroutines and without Asio: safe to include from .cu files.

#include <papilio/session/communicator.hpp>
#include <papilio/session/session.hpp>
#include <papilio/session/session_host.hpp>
