#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/asio_operation.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/acceptor.hpp>
#include <papilio/transport/detail/capped_stream.hpp>
#include <papilio/transport/medium.hpp>
#include <papilio/transport/shm/address.hpp>
#include <papilio/transport/tcp/connect.hpp>
#include <papilio/transport/tcp/handshake.hpp>
#include <papilio/transport/tcp/listening_socket.hpp>
#include <papilio/transport/tcp/options.hpp>
#include <papilio/transport/tcp/resolver.hpp>
#include <papilio/transport/tcp/socket.hpp>
#include <papilio/transport/tcp/stream.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace papilio::inline PAPILIO_MODE::tcp::detail {

/// What all streams of a peer share.
struct settings {
    settings(asio_loop& l, const options& o)
        : on(l),
          connections(static_cast<std::uint32_t>(o.connections)),
          crc(o.crc),
          congestion(o.congestion)
    {
        if (o.max_upload > 0 || o.max_download > 0)
            limits = std::make_shared<papilio::detail::caps>(o.max_upload, o.max_download);
    }

    std::unique_ptr<byte_stream> stream(socket s, wire::content_check check) const
    {
        std::unique_ptr<byte_stream> made =
            std::make_unique<socket_stream>(on, std::move(s), connections, check);
        if (!limits) return made;
        return std::make_unique<papilio::detail::capped_stream>(on, std::move(made), limits);
    }

    bool wants_crc(const socket& s) const
    {
        if (crc == content_crc::between_hosts) return !within_host(s);
        return crc == content_crc::always;
    }

    asio_loop& on;
    std::uint32_t connections;
    content_crc crc;
    const char* congestion;
    std::shared_ptr<papilio::detail::caps> limits;
};

/// A connection that was accepted and is not authenticated yet.
class incoming_socket final : public incoming {
public:
    incoming_socket(socket s, papilio::detail::newcomer from, const settings& shared)
        : socket_(std::move(s)), from_(from), shared_(shared)
    {
    }

    task<wire::hello> read_hello() override
    {
        tune(socket_, shared_.congestion);
        const auto h = co_await receive_hello(socket_);
        from_.spoke();
        if (h.crc && shared_.wants_crc(socket_)) check_ = wire::content_check::crc32c;
        co_return h;
    }
    std::uint32_t streams() const override { return shared_.connections; }
    task<std::unique_ptr<byte_stream>> accept(std::uint64_t process, std::uint64_t host) override
    {
        const bool crc = check_ == wire::content_check::crc32c;
        co_await exchange_welcome(socket_, {crc, process, host});
        co_return shared_.stream(std::move(socket_), check_);
    }

private:
    socket socket_;
    papilio::detail::newcomer from_;
    settings shared_;
    wire::content_check check_ = wire::content_check::none;
};

/// The medium of a mesh whose links run over TCP.
class medium final : public addressed_medium<endpoint> {
public:
    /// Throws when the system does not have the congestion control that `o` names.
    medium(asio_loop& on, const options& o) : shared_(on, o), names_(on)
    {
        if (o.connections < 1)
            throw std::system_error(errc::bad_argument, "connections must be at least 1, not " +
                                                            std::to_string(o.connections));
        if (!o.congestion) return;
        socket unused(asio_context(on));
        std::error_code error;
        open(unused, asio::ip::tcp::v4(), error);
        if (error) throw std::system_error(standard(error), "cannot make a socket");
        choose_congestion(unused, o.congestion);
    }

    bool reaches(const endpoint& /*from*/, const endpoint& to) const override
    {
        return !to.host.empty();
    }
    std::string text(const endpoint& at) const override { return to_string(at); }
    std::uint64_t host() const override { return host_; }

    void listen_at(const endpoint& own, handshake authenticate) override
    {
        own_ = own;
        if (own.host.empty()) return;
        acceptor_ = std::make_unique<acceptor>(
            shared_.on, listening_socket(asio_context(shared_.on), own),
            [this, authenticate = std::move(authenticate)](socket s,
                                                           papilio::detail::newcomer from) {
                return authenticate(std::make_unique<incoming_socket>(std::move(s), from, shared_));
            });
        own_.port = acceptor_->listener().local().port;
    }
    endpoint local() const override { return own_; }

    task<dialled> dial_at(endpoint to, wire::hello h) override
    {
        h.connections = shared_.connections;
        socket s = co_await connect_to(shared_.on, names_, to);
        h.crc = shared_.wants_crc(s);
        tune(s, shared_.congestion);
        const auto welcome = co_await say_hello(s, h);
        const auto check = welcome.crc ? wire::content_check::crc32c : wire::content_check::none;
        co_return dialled{shared_.stream(std::move(s), check), welcome.process, welcome.host};
    }

private:
    using acceptor = papilio::detail::acceptor<listening_socket>;

    settings shared_;
    resolver names_;
    std::uint64_t host_ = shm::host_number();
    endpoint own_;
    std::unique_ptr<acceptor> acceptor_;
};

}  // namespace papilio::tcp::detail
