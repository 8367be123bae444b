#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/detail/message_reader.hpp>
#include <papilio/transport/detail/send_queue.hpp>
#include <papilio/transport/tcp/channel.hpp>
#include <papilio/transport/tcp/listening_socket.hpp>
#include <papilio/transport/tcp/socket.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::tcp {

namespace detail {

/// The socket of a channel, the messages that wait to be written, and the message that is being
/// read.
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
        constexpr std::size_t max_waiting = std::size_t{1} << 20;
        if (message.size() > max_message)
            throw std::system_error(errc::too_large, "a channel carries messages of up to " +
                                                         std::to_string(max_message) +
                                                         " bytes, not " +
                                                         std::to_string(message.size()));
        while (!end_ && queue_.bytes_waiting() > max_waiting) {
            written_.close();
            co_await written_.opened();
        }
        if (end_ || closing_) throw std::system_error(end_ ? end_ : errc::disconnected, remote_);
        queue_.push_copy(tag{}, message, 0);
        flush();
        if (!queue_.empty()) has_work_.open();
    }

    /// Dropping it loses nothing: the reader keeps what it has read for the next call.
    task<std::vector<std::byte>> recv(std::size_t limit)
    {
        for (auto into = next_buffer(limit); !into.empty(); into = next_buffer(limit)) {
            const auto n = read_some(into);
            reader_.received(n);
            if (n == 0) {
                co_await readable(socket_);
            }
        }
        co_return reader_.take();
    }

    /// Writes what waits, shuts the sending side down, and reads until the peer has done the same:
    /// otherwise its system might discard what it has not read. Gives up after two seconds.
    task<> close()
    {
        closing_ = true;
        const auto until = loop_.now() + std::chrono::seconds(2);
        try {
            task<> work = shut_down();
            co_await timeout(std::move(work), until);
        } catch (const std::system_error&) {
            // A peer that is gone, or has not answered by now, misses nothing.
        }
        end(errc::disconnected);
    }

private:
    static constexpr std::size_t max_message = std::size_t{64} << 20;

    task<> shut_down()
    {
        while (!end_ && !queue_.empty()) {
            written_.close();
            co_await written_.opened();
        }
        if (end_) co_return;
        std::error_code ignored;
        socket_.shutdown(socket::shutdown_send, ignored);
        std::array<std::byte, 4096> discarded;
        while (!end_) {
            const auto n = read_some(discarded);
            if (n == 0) {
                co_await readable(socket_);
            }
        }
    }

    /// Reads what has arrived; zero bytes if nothing has.
    std::size_t read_some(mutable_bytes into)
    {
        if (end_) throw std::system_error(end_, remote_);
        std::error_code error;
        const auto n = socket_.read_some(asio::buffer(into.data(), into.size()), error);
        if (error && error != asio::error::would_block) {
            end(errc::disconnected);
            throw std::system_error(errc::disconnected, remote_);
        }
        return n;
    }

    mutable_bytes next_buffer(std::size_t limit)
    {
        try {
            return reader_.buffer(limit);
        } catch (const std::system_error& failure) {
            end(failure.code());  // the position of the next frame is unknown
            throw;
        }
    }

    void flush()
    {
        while (!queue_.empty() && !end_) {
            std::array<bytes, 3> pieces;
            const auto next = queue_.gather(pieces).front();
            std::error_code error;
            const auto n = socket_.write_some(asio::buffer(next.data(), next.size()), error);
            if (error == asio::error::would_block) return;
            if (error) return end(errc::disconnected);
            if (queue_.written(n)) written_.open();
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
        std::error_code ignored;  // the socket is given up in any case
        socket_.close(ignored);
        queue_.fail(why);
        written_.open();
    }

    asio_loop& loop_;
    socket socket_;
    std::string remote_;
    std::error_code end_;
    bool closing_ = false;
    papilio::detail::send_queue queue_{wire::content_check::crc32c};
    gate has_work_;
    gate written_;
    papilio::detail::message_reader reader_;
    task<> writer_ = write();
};

}  // namespace detail

PAPILIO_DECL channel::channel(std::unique_ptr<detail::channel_state> state) noexcept
    : state_(std::move(state))
{
}
PAPILIO_DECL channel::channel(channel&&) noexcept = default;
PAPILIO_DECL channel& channel::operator=(channel&&) noexcept = default;
PAPILIO_DECL channel::~channel() = default;

PAPILIO_DECL task<> channel::send(bytes message)
{
    return state_->send(message);
}

PAPILIO_DECL task<std::vector<std::byte>> channel::recv(std::size_t limit)
{
    return state_->recv(limit);
}

PAPILIO_DECL task<> channel::close()
{
    return state_->close();
}

PAPILIO_DECL std::string channel::remote() const
{
    return state_->remote();
}

}  // namespace papilio::tcp
