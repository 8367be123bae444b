#pragma once

#include <papilio/base/config.hpp>
#include <papilio/swarm/membership_events.hpp>

#include <chrono>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

struct rendezvous_options {
    membership_options groups;
    duration handshake_timeout = std::chrono::seconds(10);  ///< for a channel's first message
    duration idle_timeout = std::chrono::seconds(60);  ///< a silent member counts as gone after it
    duration heartbeat = std::chrono::seconds(5);      ///< between messages to an idle member
    int max_unauthenticated = 512;                     ///< channels from which no member speaks yet
};
static_assert(std::is_trivially_destructible_v<rendezvous_options>);

/// Observes a run. Called on the loop, while the server handles an event: it may record the event
/// and open gates, and must not wait.
struct rendezvous_watcher {
    virtual ~rendezvous_watcher() = default;
    virtual void saw(const membership_event& what) = 0;
};

}  // namespace papilio
