#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/reception.hpp>
#include <papilio/transport/tcp/handshake.hpp>
#include <papilio/transport/tcp/socket.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace papilio::tcp::detail {

/// A connected socket.
class socket_stream final : public byte_stream {
public:
    socket_stream(socket s, std::uint32_t of_link) : socket_(std::move(s)), of_link_(of_link) {}

    std::size_t read_some(std::span<const mutable_bytes> into, std::error_code& error) override
    {
        std::array<asio::mutable_buffer, most> buffers;
        return outcome(socket_.read_some(as_buffers(into, buffers), error), error);
    }
    std::size_t write_some(std::span<const bytes> from, std::error_code& error) override
    {
        std::array<asio::const_buffer, most> buffers;
        return outcome(socket_.write_some(as_buffers(from, buffers), error), error);
    }
    task<> readable() override { co_await detail::readable(socket_); }
    task<> writable() override { co_await detail::writable(socket_); }
    const char* kind() const override { return "tcp"; }
    std::uint32_t streams() const override { return of_link_; }
    void close() noexcept override
    {
        std::error_code ignored;  // a socket that is broken may be broken in any way
        socket_.close(ignored);
    }
    duration unacknowledged() override { return detail::unacknowledged(socket_); }

private:
    static constexpr std::size_t most = 16;

    template <class Piece, class Buffer>
    static std::span<Buffer> as_buffers(std::span<const Piece> pieces,
                                        std::array<Buffer, most>& room)
    {
        const auto n = std::min(pieces.size(), most);
        for (std::size_t i = 0; i < n; ++i)
            room[i] = asio::buffer(pieces[i].data(), pieces[i].size());
        return std::span(room).first(n);
    }

    static std::size_t outcome(std::size_t n, std::error_code& error)
    {
        if (error == asio::error::would_block)
            error.clear();
        else if (error)
            error = errc::disconnected;
        return n;
    }

    socket socket_;
    std::uint32_t of_link_;
};

/// Somebody who has connected.
class socket_caller final : public caller {
public:
    socket_caller(socket s, std::uint32_t of_link, const char* congestion)
        : socket_(std::move(s)), of_link_(of_link), congestion_(congestion)
    {
    }

    task<wire::hello> hear() override
    {
        tune(socket_, congestion_);
        co_return co_await hear_hello(socket_);
    }
    std::uint32_t streams() const override { return of_link_; }
    task<std::unique_ptr<byte_stream>> welcome() override
    {
        co_await exchange_welcome(socket_);
        co_return std::make_unique<socket_stream>(std::move(socket_), of_link_);
    }

private:
    socket socket_;
    std::uint32_t of_link_;
    const char* congestion_;
};

/// Links over TCP: what a mesh asks of its medium.
class medium {
public:
    using address = endpoint;

    /// Throws where the system does not have what `congestion` names; null: its own choice.
    medium(asio_loop& on, int connections, const char* congestion)
        : loop_(&on), connections_(static_cast<std::uint32_t>(connections)), congestion_(congestion)
    {
        if (connections < 1)
            throw std::system_error(errc::bad_argument, "a link over TCP has connections");
        if (!congestion) return;
        socket unused(on.context(), asio::ip::tcp::v4());
        choose_congestion(unused, congestion);
    }

    static bool reaches(const endpoint& /*from*/, const endpoint& to) noexcept
    {
        return !to.host.empty();
    }
    static std::string text(const endpoint& e) { return to_string(e); }

    void listen(const endpoint& own, std::function<task<>(std::unique_ptr<caller>)> welcome)
    {
        own_ = own;
        if (own.host.empty()) return;
        reception_ = std::make_unique<reception>(
            *loop_, door(loop_->context(), own), [this, welcome = std::move(welcome)](socket s) {
                return welcome(
                    std::make_unique<socket_caller>(std::move(s), connections_, congestion_));
            });
        own_.port = reception_->door().local().port;
    }
    const endpoint& local() const noexcept { return own_; }

    task<std::unique_ptr<byte_stream>> dial(endpoint to, wire::hello h)
    {
        socket s(loop_->context());
        h.connections = connections_;
        co_await introduce_oneself(s, to, h, congestion_);
        co_return std::make_unique<socket_stream>(std::move(s), connections_);
    }

private:
    using reception = papilio::detail::reception<door>;

    asio_loop* loop_;
    std::uint32_t connections_;
    const char* congestion_;
    endpoint own_;
    std::unique_ptr<reception> reception_;
};

}  // namespace papilio::tcp::detail
