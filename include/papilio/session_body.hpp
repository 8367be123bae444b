#pragma once

/// What papilio/session.hpp declares. Include this in one translation unit of a program that uses
/// the headers alone; whoever links papilio::compiled has it already.

#include <papilio/session/impl/communicator.hpp>
#include <papilio/session/impl/session.hpp>
#include <papilio/session/impl/session_host.hpp>
