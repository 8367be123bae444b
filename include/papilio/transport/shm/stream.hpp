#pragma once

#include <papilio/async/asio_operation.hpp>
#include <papilio/async/gate.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/shm/memory.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

namespace papilio::shm::detail {

/// Two rings, and the socket by which their ends wake each other and notice each other's death.
class ring_stream final : public byte_stream, private asio_loop::watcher {
public:
    /// Whoever made the memory writes ring 0 and reads ring 1.
    ring_stream(asio_loop& on, std::unique_ptr<descriptor> socket, ring_memory m, bool made)
        : watcher(on),
          socket_(std::move(socket)),
          memory_(std::move(m)),
          out_(memory_.writer(made ? 0 : 1)),
          in_(memory_.reader(made ? 1 : 0))
    {
        listener_.start(on);
    }

    /// What lies in the ring when the other side dies is still read.
    std::size_t read_some(std::span<const mutable_bytes> into, std::error_code& error) override
    {
        const auto n = in_.read_some(into, error, [this] { ring_bell(); });
        if (n == 0 && gone_ && !error && !in_.worthwhile()) error = errc::disconnected;
        return n;
    }
    std::size_t write_some(std::span<const bytes> from, std::error_code& error) override
    {
        if (gone_) {
            error = errc::disconnected;
            return 0;
        }
        return out_.write_some(from, error, [this] { ring_bell(); });
    }
    std::optional<duration> round_trip() override { return duration{}; }
    task<> readable() override
    {
        if (gone_ || in_.worthwhile()) co_return;
        arrived_.close();
        co_await arrived_.opened();
    }
    task<> writable() override
    {
        if (gone_ || out_.worthwhile()) co_return;
        drained_.close();
        co_await drained_.opened();
    }
    const char* kind() const override { return "shm"; }
    void close() noexcept override
    {
        gone_ = true;
        socket_->close();
    }

private:
    bool poll() override
    {
        const bool read = !arrived_.is_open() && in_.worthwhile();
        const bool write = !drained_.is_open() && out_.worthwhile();
        if (read) arrived_.open();
        if (write) drained_.open();
        return read || write;
    }
    void before_sleep() override
    {
        in_.sleeps(!arrived_.is_open());
        out_.sleeps(!drained_.is_open());
    }
    void after_sleep() override
    {
        in_.sleeps(false);
        out_.sleeps(false);
    }

    /// A bell that cannot be rung has been rung so often that the other side must wake up anyway.
    void ring_bell() noexcept
    {
        const std::byte bell{1};
        [[maybe_unused]] const auto n =
            ::send(socket_->get(), &bell, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }

    /// Hears the bell, which wakes the loop, and the end.
    task<> listen()
    {
        for (;;) {
            std::array<std::byte, 256> bells;
            const auto n = ::recv(socket_->get(), bells.data(), bells.size(), MSG_DONTWAIT);
            if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) break;
            co_await socket_->readable();
        }
        gone_ = true;
        arrived_.open();
        drained_.open();
    }

    std::unique_ptr<descriptor> socket_;
    ring_memory memory_;
    ring_writer out_;
    ring_reader in_;
    bool gone_ = false;
    gate arrived_;
    gate drained_;
    task<> listener_ = listen();
};

}  // namespace papilio::shm::detail
