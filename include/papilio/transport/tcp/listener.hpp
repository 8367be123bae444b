#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/error.hpp>
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

namespace papilio::tcp {

/// Dials until it succeeds: the other side may not have started yet. Throws `errc::timed_out`, and
/// says what went wrong last, when the loop's clock has advanced by `patience`. Name the endpoint
/// before you await this: g++ 12 destroys a temporary one twice.
task<channel> dial(asio_loop& on, endpoint to, duration patience = std::chrono::seconds(30));

/// Takes channels in. Strangers are dropped: whoever does not say hello in time, or says something
/// else. Belongs to `on`; must outlive the tasks that accept.
class listener {
public:
    /// Port 0 lets the system choose. Throws the system's error when `at` cannot be listened at.
    listener(asio_loop& on, const endpoint& at,
             duration handshake_timeout = std::chrono::seconds(5));
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    /// Where it listens, with the port that the system chose if it was asked to.
    endpoint local() const;

    /// The next channel. Those that nobody has accepted are kept, a bounded number of them.
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

inline task<> say_channel_hello(socket& s)
{
    const auto hello = wire::channel_hello();
    co_await write_all(s, hello);
}

inline task<> hear_channel_hello(socket& s)
{
    std::array<std::byte, wire::channel_hello_size> heard{};
    co_await read_all(s, heard);
    if (!wire::is_channel_hello(heard.data()))
        throw std::system_error(errc::refused, "another protocol, or another version of this one");
}

inline task<> open_channel(socket& s, const endpoint& to)
{
    co_await reach(s, to);
    tune(s, nullptr);
    co_await say_channel_hello(s);
    co_await hear_channel_hello(s);
}

inline task<> greet(socket& s)
{
    co_await hear_channel_hello(s);
    co_await say_channel_hello(s);
}

}  // namespace detail

inline task<channel> dial(asio_loop& on, endpoint to, duration patience)
{
    const auto deadline = on.now() + patience;
    duration pause = std::chrono::milliseconds(10);
    std::string last = "no answer";
    for (;;) {
        detail::socket s(asio_context(on));
        bool good = false;
        try {
            task<> attempt = detail::open_channel(s, to);
            const duration once = std::chrono::seconds(5);
            co_await timeout(std::move(attempt), std::min(deadline, on.now() + once));
            good = true;
        } catch (const std::system_error& failure) {
            if (failure.code() != errc::timed_out) last = failure.what();
        }
        if (good) co_return channel(on, std::move(s));
        if (on.now() + pause >= deadline)
            throw std::system_error(errc::timed_out, "cannot reach " + to_string(to) + ": " + last);
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
    constexpr std::size_t most = 64;
    detail::socket s = std::move(from);  // closes when this ends, `from` when its frame dies
    try {
        detail::tune(s, nullptr);
        task<> greeting = detail::greet(s);
        co_await timeout(std::move(greeting), loop_.now() + handshake_timeout_);
    } catch (const std::system_error&) {
        co_return;  // a stranger
    }
    if (ready_.size() >= most) co_return;  // whoever dials tries again
    ready_.emplace_back(loop_, std::move(s));
    arrived_.open();
}

}  // namespace papilio::tcp
