#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/transport/detail/acceptor.hpp>
#include <papilio/transport/tcp/channel.hpp>
#include <papilio/transport/tcp/handshake.hpp>
#include <papilio/transport/tcp/socket.hpp>
#include <papilio/wire/channel.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <utility>

namespace papilio::inline PAPILIO_MODE::tcp {

/// Connects to a listener. Tries until it succeeds, since the other side may not have started yet.
/// Throws `errc::timed_out` with the last failure when the loop's clock has advanced by `limit`.
/// Name the endpoint before you await this: g++ 12 destroys a temporary one twice.
task<channel> dial(asio_loop& on, endpoint to, duration limit = std::chrono::seconds(30));

/// Accepts channels. Closes connections that do not send a hello in time, or send anything else.
/// Belongs to `on`; must outlive the tasks that accept.
class listener {
public:
    /// With port 0 the system chooses one. Throws the system's error when it cannot listen at `at`.
    listener(asio_loop& on, const endpoint& at,
             duration handshake_timeout = std::chrono::seconds(5));
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    /// Where it listens, with the port that the system chose.
    endpoint local() const;

    /// Waits for the next channel. Up to 64 channels wait to be accepted; further ones are closed.
    task<channel> accept();

private:
    task<> handshake(detail::socket from);

    asio_loop& loop_;
    duration handshake_timeout_;
    std::deque<channel> ready_;
    gate arrived_;
    papilio::detail::acceptor<detail::listening_socket> acceptor_;
};

namespace detail {

inline task<> send_channel_hello(socket& s)
{
    const auto hello = wire::channel_hello();
    co_await write_all(s, hello);
}

inline task<> receive_channel_hello(socket& s)
{
    std::array<std::byte, wire::channel_hello_size> received{};
    co_await read_all(s, received);
    if (!wire::is_channel_hello(received.data()))
        throw std::system_error(errc::refused, "the other side speaks another protocol or version");
}

inline task<> open_channel(socket& s, const endpoint& to)
{
    co_await connect_to(s, to);
    tune(s, nullptr);
    co_await send_channel_hello(s);
    co_await receive_channel_hello(s);
}

inline task<> accept_channel(socket& s)
{
    co_await receive_channel_hello(s);
    co_await send_channel_hello(s);
}

}  // namespace detail

inline task<channel> dial(asio_loop& on, endpoint to, duration limit)
{
    const auto deadline = on.now() + limit;
    duration pause = std::chrono::milliseconds(10);
    std::string last_failure = "no answer";
    for (;;) {
        detail::socket s(asio_context(on));
        bool connected = false;
        try {
            task<> attempt = detail::open_channel(s, to);
            const duration attempt_limit = std::chrono::seconds(5);
            co_await timeout(std::move(attempt), std::min(deadline, on.now() + attempt_limit));
            connected = true;
        } catch (const std::system_error& failure) {
            if (failure.code() != errc::timed_out) last_failure = failure.what();
            const auto at = [&] { return to_string(to); };
            papilio::detail::log(log_level::debug, "dial failed", {"at", "why"}, at,
                                 failure.what());
        }
        if (connected) co_return channel(on, std::move(s));
        if (on.now() + pause >= deadline)
            throw std::system_error(errc::timed_out,
                                    "cannot reach " + to_string(to) + ": " + last_failure);
        co_await sleep_for(pause);
        pause = std::min<duration>(pause * 2, std::chrono::seconds(1));
    }
}

inline listener::listener(asio_loop& on, const endpoint& at, duration handshake_timeout)
    : loop_(on),
      handshake_timeout_(handshake_timeout),
      acceptor_(on, detail::listening_socket(asio_context(on), at),
                [this](detail::socket s) { return handshake(std::move(s)); })
{
}

inline endpoint listener::local() const
{
    return acceptor_.listener().local();
}

inline task<channel> listener::accept()
{
    while (ready_.empty()) {
        arrived_.close();
        co_await arrived_.opened();
    }
    channel next = std::move(ready_.front());
    ready_.pop_front();
    co_return next;
}

inline task<> listener::handshake(detail::socket from)
{
    constexpr std::size_t max_ready = 64;
    detail::socket s = std::move(from);  // closed when this ends; `from` lives as long as its frame
    try {
        detail::tune(s, nullptr);
        task<> greeting = detail::accept_channel(s);
        co_await timeout(std::move(greeting), loop_.now() + handshake_timeout_);
    } catch (const std::system_error& failure) {
        papilio::detail::log(log_level::warning, "channel refused", {"why"}, failure.what());
        co_return;
    }
    if (ready_.size() >= max_ready) {  // the other side will dial again
        papilio::detail::log(log_level::warning, "channel refused", {"why"},
                             "too many wait to be accepted");
        co_return;
    }
    ready_.emplace_back(loop_, std::move(s));
    arrived_.open();
}

}  // namespace papilio::tcp
