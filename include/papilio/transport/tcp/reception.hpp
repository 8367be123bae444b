#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/transport/tcp/handshake.hpp>
#include <papilio/transport/tcp/socket.hpp>

#include <functional>
#include <list>
#include <system_error>
#include <utility>

namespace papilio::tcp::detail {

/// Takes connections in, and has each heard by a task of its own. Belongs to `on`.
class reception {
public:
    /// `welcome` finds out who it is that has come, within bounded time. Port 0 lets the system
    /// choose. Throws the system's error when `at` cannot be listened at.
    reception(asio_loop& on, const endpoint& at, std::function<task<>(socket)> welcome)
        : acceptor_(on.context()), welcome_(std::move(welcome)), on_(on)
    {
        listen_at(acceptor_, at);
        work_.start(on_);
    }
    reception(const reception&) = delete;
    reception& operator=(const reception&) = delete;

    /// Where it listens, with the port that the system chose if it was asked to.
    endpoint local() const
    {
        const auto at = acceptor_.local_endpoint();
        return {at.address().to_string(), at.port()};
    }

private:
    /// Somebody whose task is under way.
    struct visitor {
        explicit visitor(task<> t) : work(std::move(t)) {}
        task<> work;
    };

    task<> take_in()
    {
        constexpr std::size_t most = 256;
        for (;;) {
            co_await readable(acceptor_);
            std::erase_if(visitors_, [](const visitor& v) { return v.work.finished(); });
            std::error_code error;
            socket s = acceptor_.accept(error);
            if (error || visitors_.size() >= most) {
                // Out of file descriptors, or beset by strangers: those being heard come first.
                if (error != asio::error::would_block)
                    co_await sleep_for(std::chrono::milliseconds(10));
                continue;
            }
            visitors_.emplace_back(welcome_(std::move(s)));
            visitors_.back().work.start(on_);
        }
    }

    acceptor acceptor_;
    std::function<task<>(socket)> welcome_;
    asio_loop& on_;
    std::list<visitor> visitors_;
    task<> work_ = take_in();
};

}  // namespace papilio::tcp::detail
