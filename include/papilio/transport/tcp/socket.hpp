#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/asio_operation.hpp>
#include <papilio/async/asio_owned_fd.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace papilio::inline PAPILIO_MODE::tcp::detail {

// Reads and writes are non-blocking system calls; Asio only waits until the next one is worth a
// try. So it never holds a buffer, and dropping a task is always safe.

using socket = asio::ip::tcp::socket;

/// Suspends until a read, or an accept, would not block.
auto readable(auto& s)
{
    return asio_operation([&s](auto done) { s.async_wait(s.wait_read, std::move(done)); });
}

/// Suspends until a write would not block.
auto writable(auto& s)
{
    return asio_operation([&s](auto done) { s.async_wait(s.wait_write, std::move(done)); });
}

/// Opens a socket or an acceptor, which child processes do not inherit: by Asio they would.
void open(auto& s, asio::ip::tcp protocol, std::error_code& error)
{
    papilio::detail::owned_fd fd(
        ::socket(protocol.family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
    if (fd.get() < 0)
        error = std::error_code(errno, std::generic_category());
    else
        s.assign(protocol, fd.get(), error);
    if (!error) fd.release();
}

/// Opens `s` and connects it; gives the error code.
inline task<std::error_code> connected(socket& s, asio::ip::tcp::endpoint to)
{
    std::error_code error;
    open(s, to.protocol(), error);
    if (error) co_return error;
    asio_operation connect([&](auto done) { s.async_connect(to, std::move(done)); });
    co_return co_await connect;
}

/// Whether both ends of a connected socket are on this host, as far as addresses tell.
inline bool within_host(const socket& s)
{
    std::error_code error;  // of one that has been closed: then it does not matter
    const auto local = s.local_endpoint(error).address();
    return local == s.remote_endpoint(error).address();
}

/// Reads until `into` is full; throws `errc::disconnected` when the stream ends before.
inline task<> read_all(socket& from, mutable_bytes into)
{
    while (!into.empty()) {
        std::error_code error;
        const auto n = from.read_some(asio::buffer(into.data(), into.size()), error);
        into = into.subspan(n);
        if (error == asio::error::would_block)
            co_await readable(from);
        else if (error)
            throw std::system_error(errc::disconnected);
    }
}

/// Writes all of `from`; throws `errc::disconnected` when the stream ends before.
inline task<> write_all(socket& to, bytes from)
{
    while (!from.empty()) {
        std::error_code error;
        const auto n = to.write_some(asio::buffer(from.data(), from.size()), error);
        from = from.subspan(n);
        if (error == asio::error::would_block)
            co_await writable(to);
        else if (error)
            throw std::system_error(errc::disconnected);
    }
}

inline void set(socket& s, int option, const void* value, std::size_t size, const char* what)
{
    if (::setsockopt(s.native_handle(), IPPROTO_TCP, option, value, static_cast<socklen_t>(size)) !=
        0)
        throw std::system_error(errno, std::system_category(), what);
}

/// Throws the system's error when it does not have, or not allow, this congestion control.
inline void choose_congestion(socket& s, const char* congestion)
{
    if (::setsockopt(s.native_handle(), IPPROTO_TCP, TCP_CONGESTION, congestion,
                     static_cast<socklen_t>(std::strlen(congestion))) == 0)
        return;
    throw std::system_error(
        errno, std::system_category(),
        "this system has, or allows, no TCP congestion control \"" + std::string(congestion) + '"');
}

/// The state that Linux reports of a connection (TCP_INFO). Newer kernels report more fields, and C
/// libraries declare different numbers of them in `tcp_info`: hence the offsets.
class connection_state {
public:
    explicit connection_state(int fd)
    {
        if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, reported_.data(), &size_) != 0) size_ = 0;
    }

    // Each is zero where this system does not report it.
    std::uint8_t probes() const { return at<std::uint8_t>(3); }
    std::uint32_t segment_bytes() const { return at<std::uint32_t>(16); }
    std::uint32_t unacknowledged_segments() const { return at<std::uint32_t>(24); }
    std::uint32_t sacked_segments() const { return at<std::uint32_t>(28); }
    std::uint32_t last_acknowledged_ms() const { return at<std::uint32_t>(56); }

    /// Since Linux 4.6; all ones while no round trip has been measured.
    std::uint32_t shortest_us() const { return at<std::uint32_t>(148); }

private:
    template <class T>
    T at(std::size_t offset) const
    {
        T value = 0;
        if (offset + sizeof value <= size_)
            std::memcpy(&value, reported_.data() + offset, sizeof value);
        return value;
    }

    std::array<std::byte, 152> reported_{};
    socklen_t size_ = static_cast<socklen_t>(sizeof reported_);
};

/// For how long data has been waiting for the other host's acknowledgement; zero if none waits. A
/// peer whose program has stopped reading does not count: its host still answers window probes.
inline duration unacknowledged(int fd)
{
    const connection_state state(fd);
    const bool owed = state.unacknowledged_segments() > 0 || state.probes() > 1;
    return std::chrono::milliseconds(owed ? state.last_acknowledged_ms() : 0);
}

/// Bytes that were written and that the other host has not acknowledged, selectively or otherwise.
inline std::uint64_t undelivered(int fd)
{
    int waiting = 0;
    if (::ioctl(fd, SIOCOUTQ, &waiting) != 0 || waiting <= 0) return 0;
    const connection_state state(fd);
    const auto all = static_cast<std::uint64_t>(waiting);
    return all - std::min(all, std::uint64_t{state.sacked_segments()} * state.segment_bytes());
}

/// The shortest round trip that the kernel has measured lately: in five minutes, by default.
inline std::optional<duration> round_trip(int fd)
{
    const auto us = connection_state(fd).shortest_us();
    if (us == 0 || us == ~std::uint32_t{0}) return std::nullopt;
    return std::chrono::microseconds(us);
}

/// Replaces bbr by reno on links without latency, such as loopback: there, bbr's pacing by measured
/// rates halves the throughput. Every user is allowed to choose reno.
inline void avoid_bbr_without_latency(socket& s)
{
    char name[16] = {};
    socklen_t size = sizeof name - 1;
    ::getsockopt(s.native_handle(), IPPROTO_TCP, TCP_CONGESTION, name, &size);
    const auto shortest = round_trip(s.native_handle());
    if (std::strcmp(name, "bbr") != 0 || !shortest || *shortest >= std::chrono::microseconds(100))
        return;
    // If the system refuses, the connection keeps bbr.
    ::setsockopt(s.native_handle(), IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

/// Sets the options of every connection: no delay, no blocking, and keep-alive probes that detect
/// hosts which have vanished. Not TCP_USER_TIMEOUT, which also ends connections to peers that are
/// alive but have stopped reading. A null `congestion` keeps the system's choice, but see
/// `avoid_bbr_without_latency`.
inline void tune(socket& s, const char* congestion)
{
    s.non_blocking(true);
    s.set_option(asio::ip::tcp::no_delay(true));
    s.set_option(asio::socket_base::keep_alive(true));
    const int idle_s = 10, interval_s = 5, probes = 4;
    set(s, TCP_KEEPIDLE, &idle_s, sizeof idle_s, "TCP_KEEPIDLE");
    set(s, TCP_KEEPINTVL, &interval_s, sizeof interval_s, "TCP_KEEPINTVL");
    set(s, TCP_KEEPCNT, &probes, sizeof probes, "TCP_KEEPCNT");
    if (congestion)
        choose_congestion(s, congestion);
    else
        avoid_bbr_without_latency(s);
}

}  // namespace papilio::tcp::detail
