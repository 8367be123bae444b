#pragma once

/// The rendezvous of a run: the server that its host embeds, and the client of a member.

#include <papilio/swarm/rendezvous_client.hpp>
#include <papilio/swarm/rendezvous_server.hpp>
