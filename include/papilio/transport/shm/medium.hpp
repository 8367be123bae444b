#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/asio_operation.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/acceptor.hpp>
#include <papilio/transport/medium.hpp>
#include <papilio/transport/shm/address.hpp>
#include <papilio/transport/shm/allocated_memory.hpp>
#include <papilio/transport/shm/arena.hpp>
#include <papilio/transport/shm/memory.hpp>
#include <papilio/transport/shm/socket.hpp>
#include <papilio/transport/shm/stream.hpp>
#include <papilio/wire/hello.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

// The side that dials sends a hello and, with it, a file descriptor of memory for two rings. The
// other side checks both and sends a welcome, which the first side repeats; with these, each sends
// its arena, from which messages are lent. From then on, bytes on the socket only wake the other
// side.
namespace papilio::inline PAPILIO_MODE::shm::detail {

/// A connection that was accepted and is not authenticated yet.
class incoming_ring final : public incoming {
public:
    incoming_ring(asio_loop& on, owned_fd socket, papilio::detail::newcomer from,
                  std::size_t ring_bytes, std::shared_ptr<arena> own)
        : loop_(on),
          socket_(std::make_unique<descriptor>(on, socket.release())),
          from_(from),
          ring_bytes_(ring_bytes),
          arena_(std::move(own))
    {
    }

    task<wire::hello> read_hello() override
    {
        check_user(socket_->get());
        std::array<std::byte, wire::hello::encoded_size> encoded{};
        co_await receive_all(*socket_, encoded, file_);
        const auto h = wire::parse_hello(encoded.data());
        from_.spoke();
        co_return h;
    }
    std::uint32_t streams() const override { return 1; }
    task<std::unique_ptr<byte_stream>> accept(std::uint64_t process, std::uint64_t host) override
    {
        ring_memory::check(file_, ring_bytes_);
        ring_memory memory(file_, ring_bytes_);
        const auto welcome = wire::encode(wire::welcome{false, process, host});
        auto answer = welcome;
        send_all(socket_->get(), answer, arena_->file());
        owned_fd theirs;
        co_await receive_all(*socket_, answer, theirs);
        if (answer != welcome)
            throw std::system_error(errc::refused, "the welcome was not repeated");
        co_return std::make_unique<ring_stream>(loop_, std::move(socket_), std::move(memory), false,
                                                arena_, std::move(theirs));
    }

private:
    asio_loop& loop_;
    std::unique_ptr<descriptor> socket_;
    papilio::detail::newcomer from_;
    std::size_t ring_bytes_;
    std::shared_ptr<arena> arena_;
    owned_fd file_;
};

/// Accepts connections by name; a listener as `acceptor` needs one.
class listening_socket {
public:
    using connection = owned_fd;

    listening_socket(asio_loop& on, const std::string& name)
        : listening_(std::make_unique<descriptor>(on, listen_at(name).release()))
    {
    }
    std::string name() const { return name_of(listening_->get()); }

    task<> readable() { co_await listening_->readable(); }
    owned_fd accept(std::error_code& error)
    {
        owned_fd s(::accept4(listening_->get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (s.get() < 0) error = std::error_code(errno, std::generic_category());
        return s;
    }
    static bool would_block(std::error_code error)
    {
        return error == std::errc::resource_unavailable_try_again;
    }
    bool refuse()
    {
        return spare_.lend([this] {
            const owned_fd s(::accept4(listening_->get(), nullptr, nullptr, SOCK_CLOEXEC));
            return s.get() >= 0;
        });
    }
    static network_address address(const owned_fd& /*connection*/) { return {}; }

private:
    std::unique_ptr<descriptor> listening_;
    papilio::detail::spare_fd spare_;
};

/// The medium of a mesh whose links run over shared memory.
class medium final : public addressed_medium<shm::address> {
public:
    medium(asio_loop& on, std::size_t ring_bytes, std::size_t allocate_limit)
        : loop_(&on), ring_bytes_(ring_bytes), arena_(std::make_shared<arena>(allocate_limit))
    {
        if (!std::has_single_bit(ring_bytes) || ring_bytes < 4096 || ring_bytes > 1u << 30)
            throw std::system_error(errc::bad_argument,
                                    "ring_bytes must be a power of two from 4096 to 1073741824, "
                                    "not " +
                                        std::to_string(ring_bytes));
    }

    bool reaches(const address& /*from*/, const address& to) const override
    {
        return !to.name.empty();
    }
    std::string text(const address& at) const override { return to_string(at); }
    std::uint64_t host() const override { return host_; }

    void listen_at(const address& own, handshake authenticate) override
    {
        own_.host = own.host.empty() ? this_host() : own.host;
        auto handshake_on = [this, authenticate = std::move(authenticate)](
                                owned_fd s, papilio::detail::newcomer from) {
            return authenticate(
                std::make_unique<incoming_ring>(*loop_, std::move(s), from, ring_bytes_, arena_));
        };
        acceptor_ = std::make_unique<acceptor>(*loop_, listening_socket(*loop_, own.name),
                                               std::move(handshake_on));
        own_.name = acceptor_->listener().name();
    }
    address local() const override { return own_; }

    task<dialled> dial_at(address to, wire::hello h) override
    {
        if (!to.host.empty() && to.host != own_.host)
            throw std::system_error(errc::refused,
                                    to_string(to) + " is not on this host, " + own_.host);
        auto socket = std::make_unique<descriptor>(*loop_, connect_to(to.name).release());
        check_user(socket->get());
        const owned_fd file = ring_memory::make(ring_bytes_);
        ring_memory memory(file, ring_bytes_);
        h.connections = 1;
        send_all(socket->get(), wire::encode(h), file);
        std::array<std::byte, wire::welcome::encoded_size> answer{};
        owned_fd theirs;
        co_await receive_all(*socket, answer, theirs);
        const auto welcome = wire::parse_welcome(answer.data(), false);
        send_all(socket->get(), answer, arena_->file());
        auto stream = std::make_unique<ring_stream>(*loop_, std::move(socket), std::move(memory),
                                                    true, arena_, std::move(theirs));
        co_return dialled{std::move(stream), welcome.process, welcome.host};
    }

    /// Memory from which messages are lent.
    allocated_memory allocate(std::size_t size)
    {
        auto memory = arena_->allocate(size);
        const mutable_bytes all(memory.get(), size);
        return {std::move(memory), all};
    }

private:
    using acceptor = papilio::detail::acceptor<listening_socket>;

    asio_loop* loop_;
    std::size_t ring_bytes_;
    std::uint64_t host_ = host_number();
    std::shared_ptr<arena> arena_;
    address own_;
    std::unique_ptr<acceptor> acceptor_;
};

}  // namespace papilio::shm::detail
