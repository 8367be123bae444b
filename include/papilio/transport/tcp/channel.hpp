#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/tcp/handshake.hpp>
#include <papilio/transport/tcp/socket.hpp>
#include <papilio/wire/channel.hpp>
#include <papilio/wire/frame.hpp>

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace papilio::tcp {

namespace detail {
class channel_state;
}

/// A channel over one TCP connection: see the concept `papilio::channel`. Several tasks may send.
class channel {
public:
    channel(asio_loop& on, detail::socket s);
    channel(channel&&) noexcept;
    channel& operator=(channel&&) noexcept;
    ~channel();

    task<> send(bytes message);
    task<std::vector<std::byte>> recv(std::size_t limit);
    task<> close();
    std::string remote() const;

private:
    std::unique_ptr<detail::channel_state> state_;
};

namespace detail {

/// The socket, what waits to be written, and what of the next message has been read.
class channel_state {
public:
    channel_state(asio_loop& on, socket s) : loop_(on), socket_(std::move(s))
    {
        std::error_code unknown;
        const auto other = socket_.remote_endpoint(unknown).address();
        if (!unknown) remote_ = unmapped(other).to_string();
        writer_.start(loop_);
    }
    channel_state(const channel_state&) = delete;
    channel_state& operator=(const channel_state&) = delete;

    const std::string& remote() const noexcept { return remote_; }

    task<> send(bytes message)
    {
        constexpr std::size_t most = std::size_t{1} << 20;  // unwritten, before senders wait
        if (message.size() > max_message) throw std::system_error(errc::too_large);
        while (!end_ && waiting_ > most) {
            written_.close();
            co_await written_.opened();
        }
        if (end_ || closing_) throw std::system_error(end_ ? end_ : errc::disconnected);
        const auto head =
            wire::encode(wire::frame{tag{}, static_cast<std::uint32_t>(message.size())});
        std::vector<std::byte> entry(head.begin(), head.end());
        entry.insert(entry.end(), message.begin(), message.end());
        waiting_ += entry.size();
        queue_.push_back(std::move(entry));
        flush();
        if (!queue_.empty()) has_work_.open();
    }

    /// What has been read stays here between calls, so that dropping one loses nothing.
    task<std::vector<std::byte>> recv(std::size_t limit)
    {
        while (head_read_ < head_.size()) {
            const auto n = read_some(mutable_bytes(head_).subspan(head_read_));
            head_read_ += n;
            if (n == 0) {
                co_await readable(socket_);
            }
        }
        if (body_.empty()) body_.resize(size_of_next(limit));
        while (body_read_ < body_.size()) {
            const auto n = read_some(mutable_bytes(body_).subspan(body_read_));
            body_read_ += n;
            if (n == 0) {
                co_await readable(socket_);
            }
        }
        head_read_ = body_read_ = 0;
        co_return std::exchange(body_, {});
    }

    /// Writes what waits, says that it was the last, and reads until the other side has said so
    /// too: otherwise the system might throw away what has not been read over there.
    task<> close()
    {
        closing_ = true;
        const auto until = loop_.now() + std::chrono::seconds(2);
        try {
            task<> work = part();
            co_await timeout(std::move(work), until);
        } catch (const std::system_error&) {
            // Whoever is gone, or has not answered by now, misses nothing.
        }
        end(errc::disconnected);
    }

private:
    static constexpr std::size_t max_message = std::size_t{64} << 20;

    /// An IPv4 address as such, also where it came through a socket of IPv6.
    static asio::ip::address unmapped(const asio::ip::address& a)
    {
        if (!a.is_v6() || !a.to_v6().is_v4_mapped()) return a;
        return asio::ip::make_address_v4(asio::ip::v4_mapped, a.to_v6());
    }

    task<> part()
    {
        while (!end_ && !queue_.empty()) {
            written_.close();
            co_await written_.opened();
        }
        if (end_) co_return;
        std::error_code ignored;
        socket_.shutdown(socket::shutdown_send, ignored);
        std::array<std::byte, 4096> nowhere;
        while (!end_) {
            const auto n = read_some(nowhere);
            if (n == 0) {
                co_await readable(socket_);
            }
        }
    }

    /// Nothing, if nothing is there yet.
    std::size_t read_some(mutable_bytes into)
    {
        if (end_) throw std::system_error(end_);
        std::error_code error;
        const auto n = socket_.read_some(asio::buffer(into.data(), into.size()), error);
        if (error && error != asio::error::would_block) {
            end(errc::disconnected);
            throw std::system_error(errc::disconnected);
        }
        return n;
    }

    std::size_t size_of_next(std::size_t limit)
    {
        try {
            const auto next = wire::parse_frame(head_.data());
            if (next.what != tag{}) throw std::system_error(errc::bad_message);
            if (next.size > limit) throw std::system_error(errc::too_large);
            return next.size;
        } catch (const std::system_error& failure) {
            end(failure.code());  // there is no finding the place again
            throw;
        }
    }

    void flush()
    {
        while (!queue_.empty() && !end_) {
            const auto rest = bytes(queue_.front()).subspan(front_written_);
            std::error_code error;
            const auto n = socket_.write_some(asio::buffer(rest.data(), rest.size()), error);
            if (error == asio::error::would_block) return;
            if (error) return end(errc::disconnected);
            waiting_ -= n;
            front_written_ += n;
            if (n < rest.size()) continue;
            front_written_ = 0;
            queue_.pop_front();
            written_.open();
        }
    }

    task<> write()
    {
        while (!end_) {
            co_await has_work_.opened();
            has_work_.close();
            while (!queue_.empty() && !end_) {
                co_await writable(socket_);
                flush();
            }
        }
    }

    void end(std::error_code why)
    {
        if (end_) return;
        end_ = why;
        std::error_code ignored;  // a socket that is broken may be broken in any way
        socket_.close(ignored);
        queue_.clear();
        waiting_ = front_written_ = 0;
        written_.open();
    }

    asio_loop& loop_;
    socket socket_;
    std::string remote_;
    std::error_code end_;
    bool closing_ = false;

    std::deque<std::vector<std::byte>> queue_;
    std::size_t front_written_ = 0;
    std::size_t waiting_ = 0;  // bytes in the queue
    gate has_work_;
    gate written_;

    std::array<std::byte, wire::frame::encoded_size> head_{};
    std::size_t head_read_ = 0;
    std::vector<std::byte> body_;
    std::size_t body_read_ = 0;

    task<> writer_ = write();
};

}  // namespace detail

inline channel::channel(asio_loop& on, detail::socket s)
    : state_(std::make_unique<detail::channel_state>(on, std::move(s)))
{
}
inline channel::channel(channel&&) noexcept = default;
inline channel& channel::operator=(channel&&) noexcept = default;
inline channel::~channel() = default;

inline task<> channel::send(bytes message)
{
    return state_->send(message);
}

inline task<std::vector<std::byte>> channel::recv(std::size_t limit)
{
    return state_->recv(limit);
}

inline task<> channel::close()
{
    return state_->close();
}

inline std::string channel::remote() const
{
    return state_->remote();
}

}  // namespace papilio::tcp
