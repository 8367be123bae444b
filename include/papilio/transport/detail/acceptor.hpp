#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/log.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Accepts connections and runs one handshake task per connection. Belongs to `on`. A listener has
/// - `connection`: what it accepts
/// - `task<> readable()`: finishes when `accept` is worth a try
/// - `connection accept(std::error_code&)`: the next connection, without blocking
/// - `bool would_block(error)`: whether `error` means that there is none at the moment
template <class Listener>
class acceptor {
public:
    using connection = typename Listener::connection;

    /// `handshake` authenticates a connection. It must finish within bounded time, since only a
    /// bounded number of handshakes runs at once.
    acceptor(loop& on, Listener listener, std::function<task<>(connection)> handshake)
        : listener_(std::move(listener)), handshake_(std::move(handshake)), on_(on)
    {
        run_.start(on_);
    }
    acceptor(const acceptor&) = delete;
    acceptor& operator=(const acceptor&) = delete;

    const Listener& listener() const noexcept { return listener_; }

private:
    /// A handshake that is under way.
    struct attempt {
        explicit attempt(task<> t) : work(std::move(t)) {}
        task<> work;
    };

    task<> run()
    {
        constexpr std::size_t max_handshakes = 256;
        for (;;) {
            co_await listener_.readable();
            std::erase_if(running_, [](const attempt& a) { return a.work.finished(); });
            std::error_code error;
            connection next = listener_.accept(error);
            if (error || running_.size() >= max_handshakes) {
                // The process is out of file descriptors, or too many unauthenticated connections
                // are open: the running handshakes get time to finish first.
                if (!listener_.would_block(error)) {
                    log_exhaustion(error);
                    co_await sleep_for(std::chrono::milliseconds(10));
                }
                continue;
            }
            exhausted_ = false;
            running_.emplace_back(handshake_(std::move(next)));
            running_.back().work.start(on_);
        }
    }

    /// Once, until a connection is accepted again: attempts follow each other quickly.
    void log_exhaustion(std::error_code error)
    {
        if (std::exchange(exhausted_, true)) return;
        const auto why = [&] {
            return error ? error.message() : "too many handshakes are under way";
        };
        log(log_level::warning, "accept failed", {"why"}, why);
    }

    Listener listener_;
    std::function<task<>(connection)> handshake_;
    loop& on_;
    std::list<attempt> running_;
    bool exhausted_ = false;
    task<> run_ = run();
};

}  // namespace papilio::detail
