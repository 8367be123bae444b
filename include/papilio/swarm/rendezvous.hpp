#pragma once

/// Where the members of a run meet: the server that its host embeds, and what a member talks with.

#include <papilio/swarm/rendezvous_client.hpp>
#include <papilio/swarm/rendezvous_server.hpp>
