#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/tcp/channel.hpp>
#include <papilio/transport/tcp/endpoint.hpp>

#include <chrono>
#include <memory>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE::tcp {

namespace detail {
class listener_state;
}

/// Connects to a listener. Tries until it succeeds, since the other side may not have started yet.
/// Throws `errc::timed_out` with the last failure when the loop's clock has advanced by `limit`:
/// the system's error where it had no descriptors or memory for the last try.
task<channel> dial(asio_loop& on, endpoint to, duration limit = std::chrono::seconds(30));
static_assert(!std::is_aggregate_v<endpoint>);

/// Accepts channels. Closes connections that do not send a hello in time, or send anything else.
/// Belongs to `on`; must outlive the tasks that accept.
class listener {
public:
    /// With port 0 the system chooses one. Throws the system's error when it cannot listen at `at`.
    listener(asio_loop& on, const endpoint& at,
             duration handshake_timeout = std::chrono::seconds(5));
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;
    ~listener();

    /// Where it listens, with the port that the system chose.
    endpoint local() const;

    /// Waits for the next channel. Up to 64 channels wait to be accepted; further ones are closed.
    task<channel> accept();

private:
    std::unique_ptr<detail::listener_state> state_;
};

}  // namespace papilio::tcp

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/tcp/listener.hpp>
#endif
