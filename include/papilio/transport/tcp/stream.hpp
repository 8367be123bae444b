#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/asio_owned_fd.hpp>
#include <papilio/async/asio_ready_set.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/tcp/socket.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::tcp::detail {

/// A stream over a connected socket. Its reads and writes are non-blocking system calls, and the
/// loop's `ready_set` says when the next one is worth a try.
class socket_stream final : public byte_stream {
public:
    socket_stream(asio_loop& on, socket s, std::uint32_t streams, wire::content_check check)
        : loop_(on),
          fd_(s.release()),
          ready_(ready_set::of(on), fd_.get()),
          streams_(streams),
          check_(check)
    {
    }

    std::size_t read_some(std::span<const mutable_bytes> into, std::error_code& error) override
    {
        pieces to(into);
        const auto n =
            repeated([&] { return ::recvmsg(fd_.get(), &to.message, MSG_DONTWAIT); }, error);
        if (n && *n == 0 && to.size > 0) error = errc::disconnected;
        if (!n)
            ready_.read_blocked();
        else if (*n < to.size)
            ready_.read_short();
        return n.value_or(0);
    }
    std::size_t write_some(std::span<const bytes> from, std::error_code& error) override
    {
        const pieces of(from);
        constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
        const auto n = repeated([&] { return ::sendmsg(fd_.get(), &of.message, flags); }, error);
        if (!n || *n < of.size) ready_.write_blocked();
        return n.value_or(0);
    }
    task<> readable() override { co_await ready_.readable(); }
    task<> writable() override { co_await ready_.writable(); }
    const char* kind() const override { return "tcp"; }
    std::uint32_t streams() const override { return streams_; }
    wire::content_check content_check() const override { return check_; }
    void close() noexcept override
    {
        ready_.leave();
        fd_ = papilio::detail::owned_fd();
    }
    duration unacknowledged() override { return detail::unacknowledged(fd_.get()); }
    std::uint64_t undelivered() override { return detail::undelivered(fd_.get()); }

    /// Asked for by every call, and the system ten times a second at most.
    std::optional<duration> round_trip() override
    {
        if (const auto now = loop_.now(); now >= next_look_) {
            round_trip_ = detail::round_trip(fd_.get());
            next_look_ = now + std::chrono::milliseconds(100);
        }
        return round_trip_;
    }

private:
    /// The buffers of a read or a write, as the system wants them.
    struct pieces {
        template <class Piece>
        explicit pieces(std::span<const Piece> of)
        {
            for (const auto& piece : of.first(std::min(of.size(), at.size()))) {
                if (piece.empty()) continue;
                at[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
                size += piece.size();
            }
            message.msg_iov = at.data();
            message.msg_iovlen = count;
        }
        pieces(const pieces&) = delete;
        pieces& operator=(const pieces&) = delete;

        std::array<iovec, 24> at;
        std::size_t count = 0;
        std::size_t size = 0;
        msghdr message{};
    };

    /// Nothing where it would have had to wait, or has failed.
    template <class Call>
    static std::optional<std::size_t> repeated(const Call& call, std::error_code& error)
    {
        ssize_t n = call();
        while (n < 0 && errno == EINTR) n = call();
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno != EAGAIN && errno != EWOULDBLOCK) error = errc::disconnected;
        return std::nullopt;
    }

    asio_loop& loop_;
    papilio::detail::owned_fd fd_;
    ready_set::member ready_;
    std::uint32_t streams_;  // of the whole link
    wire::content_check check_;
    std::optional<duration> round_trip_;
    time_point next_look_{};
};

}  // namespace papilio::tcp::detail
