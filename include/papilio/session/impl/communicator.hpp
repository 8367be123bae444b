#pragma once

#include <papilio/base/config.hpp>
#include <papilio/session/communicator.hpp>
#include <papilio/session/impl/chosen.hpp>
