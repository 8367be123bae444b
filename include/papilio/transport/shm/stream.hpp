#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/asio_operation.hpp>
#include <papilio/async/gate.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/shm/arena.hpp>
#include <papilio/transport/shm/loans.hpp>
#include <papilio/transport/shm/memory.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::shm::detail {

/// A stream over two rings. A socket wakes the loop of the other end, and tells when the other
/// process has ended.
class ring_stream final : public byte_stream, private asio_loop::watcher {
public:
    /// `made` tells whether this side made the memory `m`. Messages are lent from `own`, and lie in
    /// `theirs` where the other side lends them.
    ring_stream(asio_loop& on, std::unique_ptr<descriptor> socket, ring_memory m, bool made,
                std::shared_ptr<arena> own, owned_fd theirs)
        : watcher(on),
          socket_(std::move(socket)),
          memory_(std::move(m)),
          out_(memory_.writer(made ? 0 : 1)),
          in_(memory_.reader(made ? 1 : 0)),
          loans_(memory_, made, std::move(own), std::move(theirs))
    {
        wakeups_.start(on);
    }

    /// Bytes that are in the ring when the other process ends are still read.
    std::size_t read_some(std::span<const mutable_bytes> into, std::error_code& error) override
    {
        const auto n = in_.read_some(into, error, [this] { wake_peer(); });
        if (n == 0 && closed_ && !error && !in_.readable()) error = errc::disconnected;
        return n;
    }
    std::size_t write_some(std::span<const bytes> from, std::error_code& error) override
    {
        if (closed_) {
            error = errc::disconnected;
            return 0;
        }
        return out_.write_some(from, error, [this] { wake_peer(); });
    }
    std::optional<duration> round_trip() override { return duration{}; }
    task<> readable() override
    {
        if (closed_ || in_.readable()) co_return;
        arrived_.close();
        co_await arrived_.opened();
    }
    task<> writable() override
    {
        if (closed_ || out_.writable()) co_return;
        drained_.close();
        co_await drained_.opened();
    }
    const char* kind() const override { return "shm"; }
    papilio::detail::lending* lending() noexcept override { return &loans_; }
    void close() noexcept override
    {
        closed_ = true;
        socket_->close();
    }

private:
    bool poll() override
    {
        const bool read = !arrived_.is_open() && in_.readable();
        const bool write = !drained_.is_open() && out_.writable();
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

    /// If the socket is full, many wake-ups are unread, and another one is not needed.
    void wake_peer() noexcept
    {
        const std::byte wakeup{1};
        [[maybe_unused]] const auto n =
            ::send(socket_->get(), &wakeup, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }

    /// Reads wake-ups, whose arrival is what wakes the loop, until the socket ends.
    task<> read_wakeups()
    {
        for (;;) {
            std::array<std::byte, 256> wakeups;
            const auto n = ::recv(socket_->get(), wakeups.data(), wakeups.size(), MSG_DONTWAIT);
            if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) break;
            co_await socket_->readable();
        }
        closed_ = true;
        arrived_.open();
        drained_.open();
    }

    std::unique_ptr<descriptor> socket_;
    ring_memory memory_;
    ring_writer out_;
    ring_reader in_;
    loans loans_;
    bool closed_ = false;
    gate arrived_;
    gate drained_;
    task<> wakeups_ = read_wakeups();
};

}  // namespace papilio::shm::detail
