#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/error.hpp>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

namespace papilio::tcp::detail {

// Reads and writes are plain calls that would rather fail than block; Asio is asked only to say
// when to try again. So it never holds a buffer of ours, and dropping a task is always safe.

using socket = asio::ip::tcp::socket;
using acceptor = asio::ip::tcp::acceptor;

/// Suspends until a read, or an accept, would not block.
auto readable(auto& s)
{
    return asio_operation([&s](auto done) { s.async_wait(s.wait_read, std::move(done)); });
}

auto writable(auto& s)
{
    return asio_operation([&s](auto done) { s.async_wait(s.wait_write, std::move(done)); });
}

inline auto connected(socket& s, const asio::ip::tcp::endpoint& to)
{
    return asio_operation([&](auto done) { s.async_connect(to, std::move(done)); });
}

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

/// Throws when this system does not have, or not allow, what `congestion` names.
inline void choose_congestion(socket& s, const char* congestion)
{
    set(s, TCP_CONGESTION, congestion, std::strlen(congestion), congestion);
}

/// How long the other host has owed an acknowledgement; zero when it owes none. A peer that stands
/// still while its buffers are full owes none: its host answers the kernel's probes of its window.
inline duration unacknowledged(socket& s)
{
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(s.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
    const bool owed = info.tcpi_unacked > 0 || info.tcpi_probes > 1;
    return std::chrono::milliseconds(owed ? info.tcpi_last_ack_recv : 0);
}

/// Bytes that were written and of which the other host has not said that they are there, be it out
/// of order.
inline std::uint64_t undelivered(socket& s)
{
    int waiting = 0;
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::ioctl(s.native_handle(), SIOCOUTQ, &waiting) != 0 || waiting <= 0 ||
        ::getsockopt(s.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return 0;
    const auto all = static_cast<std::uint64_t>(waiting);
    return all - std::min(all, std::uint64_t{info.tcpi_sacked} * info.tcpi_snd_mss);
}

/// The shortest that the system has seen of late, five minutes unless it is told otherwise.
inline std::optional<duration> round_trip(socket& s)
{
    // Linux 4.6 and later tell more than the C library's header knows of.
    struct {
        tcp_info known;
        std::uint64_t rates_and_bytes[4];
        std::uint32_t segments[2], unsent, shortest_microseconds;
    } info{};
    static_assert(sizeof info.known == 104 && sizeof info == 152);
    socklen_t size = sizeof info;
    if (::getsockopt(s.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        size < sizeof info || info.shortest_microseconds == ~std::uint32_t{0})
        return std::nullopt;
    return std::chrono::microseconds(info.shortest_microseconds);
}

/// What every connection of ours has: no delay, no blocking, and the kernel's own watch over hosts
/// that vanish without a word. It has no TCP_USER_TIMEOUT, which also ends connections with peers
/// who are well but stand still while their buffers are full.
inline void tune(socket& s, const char* congestion)
{
    s.non_blocking(true);
    s.set_option(asio::ip::tcp::no_delay(true));
    s.set_option(asio::socket_base::keep_alive(true));
    const int idle_s = 10, interval_s = 5, probes = 4;
    set(s, TCP_KEEPIDLE, &idle_s, sizeof idle_s, "TCP_KEEPIDLE");
    set(s, TCP_KEEPINTVL, &interval_s, sizeof interval_s, "TCP_KEEPINTVL");
    set(s, TCP_KEEPCNT, &probes, sizeof probes, "TCP_KEEPCNT");
    if (congestion) choose_congestion(s, congestion);
}

}  // namespace papilio::tcp::detail
