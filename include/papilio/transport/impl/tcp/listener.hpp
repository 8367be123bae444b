#pragma once

#include <papilio/async/asio_context.hpp>
#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/base/resources.hpp>
#include <papilio/transport/detail/acceptor.hpp>
#include <papilio/transport/impl/tcp/channel.hpp>
#include <papilio/transport/tcp/connect.hpp>
#include <papilio/transport/tcp/listener.hpp>
#include <papilio/transport/tcp/listening_socket.hpp>
#include <papilio/transport/tcp/resolver.hpp>
#include <papilio/transport/tcp/socket.hpp>
#include <papilio/wire/channel.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::tcp {

namespace detail {

inline task<> send_channel_hello(socket& s)
{
    const auto hello = wire::channel_hello();
    co_await write_all(s, hello);
}

inline task<socket> open_channel(asio_loop& on, resolver& names, const endpoint& to)
{
    socket s = co_await connect_to(on, names, to);
    tune(s, nullptr);
    co_await send_channel_hello(s);
    std::array<std::byte, wire::channel_hello_size> received{};
    co_await read_all(s, received);
    wire::check_channel_hello(received.data());
    co_return s;
}

inline task<> accept_channel(socket& s, papilio::detail::newcomer from)
{
    std::array<std::byte, wire::channel_hello_size> received{};
    co_await read_all(s, received);
    if (wire::is_channel_hello(received.data())) {
        co_await send_channel_hello(s);  // another version says so to its user
    }
    wire::check_channel_hello(received.data());
    from.spoke();
}

/// Apart from `dial`, whose frame must hold no lambda: it is not inline where it is compiled once.
inline void log_failed_dial(const endpoint& to, const char* why)
{
    const auto at = [&] { return to_string(to); };
    papilio::detail::log(log_level::debug, "dial failed", {"at", "why"}, at, why);
}

inline channel make_channel(asio_loop& on, socket s)
{
    return channel(std::make_unique<channel_state>(on, std::move(s)));
}

/// The handshakes of a listener that are under way, and the channels that wait to be accepted.
class listener_state {
public:
    listener_state(asio_loop& on, const endpoint& at, duration handshake_timeout)
        : loop_(on),
          handshake_timeout_(handshake_timeout),
          acceptor_(on, listening_socket(asio_context(on), at),
                    [this](socket s, papilio::detail::newcomer from) {
                        return handshake(std::move(s), from);
                    })
    {
    }
    listener_state(const listener_state&) = delete;
    listener_state& operator=(const listener_state&) = delete;

    endpoint local() const { return acceptor_.listener().local(); }

    task<channel> accept()
    {
        while (ready_.empty()) {
            arrived_.close();
            co_await arrived_.opened();
        }
        channel next = std::move(ready_.front());
        ready_.pop_front();
        co_return next;
    }

private:
    task<> handshake(socket accepted, papilio::detail::newcomer from)
    {
        constexpr std::size_t max_ready = 64;
        socket s = std::move(accepted);  // closed when this ends, unlike a parameter
        try {
            tune(s, nullptr);
            task<> greeting = accept_channel(s, from);
            co_await timeout(std::move(greeting), later(loop_.now(), handshake_timeout_));
        } catch (const std::system_error& failure) {
            papilio::detail::log(log_level::warning, "channel refused", {"why"}, failure.what());
            co_return;
        }
        if (ready_.size() >= max_ready) {  // the other side will dial again
            papilio::detail::log(log_level::warning, "channel refused", {"why"},
                                 "too many wait to be accepted");
            co_return;
        }
        ready_.push_back(make_channel(loop_, std::move(s)));
        arrived_.open();
    }

    asio_loop& loop_;
    duration handshake_timeout_;
    std::deque<channel> ready_;
    gate arrived_;
    papilio::detail::acceptor<listening_socket> acceptor_;
};

}  // namespace detail

PAPILIO_DECL task<channel> dial(asio_loop& on, endpoint to, duration limit)
{
    const auto deadline = later(on.now(), limit);
    detail::resolver names(on);
    duration pause = std::chrono::milliseconds(10);
    std::error_code last_error;
    std::string last_failure = "no answer";
    for (;;) {
        std::optional<detail::socket> s;
        try {
            task<detail::socket> attempt = detail::open_channel(on, names, to);
            const duration attempt_limit = std::chrono::seconds(5);
            s = co_await timeout(std::move(attempt),
                                 std::min(deadline, later(on.now(), attempt_limit)));
        } catch (const std::system_error& failure) {
            if (failure.code() != errc::timed_out) {  // else the one before tells more
                last_error = detail::standard(failure.code());
                last_failure = failure.what();
            }
            detail::log_failed_dial(to, failure.what());
        }
        if (s) co_return detail::make_channel(on, std::move(*s));
        if (on.now() + pause >= deadline)
            throw std::system_error(papilio::detail::why_late(last_error),
                                    "cannot reach " + to_string(to) + ": " + last_failure);
        co_await sleep_for(pause);
        pause = std::min<duration>(pause * 2, std::chrono::seconds(1));
    }
}

PAPILIO_DECL listener::listener(asio_loop& on, const endpoint& at, duration handshake_timeout)
    : state_(std::make_unique<detail::listener_state>(on, at, handshake_timeout))
{
}
PAPILIO_DECL listener::~listener() = default;

PAPILIO_DECL endpoint listener::local() const
{
    return state_->local();
}

PAPILIO_DECL task<channel> listener::accept()
{
    return state_->accept();
}

}  // namespace papilio::tcp
