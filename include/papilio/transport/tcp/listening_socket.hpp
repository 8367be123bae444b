#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/asio_owned_fd.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/arrivals.hpp>
#include <papilio/transport/tcp/connect.hpp>
#include <papilio/transport/tcp/endpoint.hpp>
#include <papilio/transport/tcp/resolver.hpp>
#include <papilio/transport/tcp/socket.hpp>

#include <asio/ip/v6_only.hpp>

#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::tcp::detail {

/// An IPv4 address as such, even if it came through an IPv6 socket.
inline asio::ip::address unmapped(const asio::ip::address& a)
{
    if (!a.is_v6() || !a.to_v6().is_v4_mapped()) return a;
    return asio::ip::make_address_v4(asio::ip::v4_mapped, a.to_v6());
}

/// The bytes of an address, as `arrivals` counts them.
inline network_address as_network_address(const asio::ip::address& a)
{
    const auto wide =
        a.is_v6() ? a.to_v6() : asio::ip::make_address_v6(asio::ip::v4_mapped, a.to_v4());
    return {wide.to_bytes()};
}

inline std::error_code try_to_listen(asio::ip::tcp::acceptor& a,
                                     const asio::ip::tcp::endpoint& address)
{
    std::error_code error;
    a.close(error);
    open(a, address.protocol(), error);
    if (!error) a.set_option(asio::socket_base::reuse_address(true), error);
    if (!error && address.address().is_v6())
        a.set_option(asio::ip::v6_only(!address.address().is_unspecified()), error);
    if (!error) a.bind(address, error);
    if (!error) a.listen(asio::socket_base::max_listen_connections, error);
    if (!error) a.non_blocking(true, error);
    return error;
}

/// Listens at the first address of `at` that belongs to this host. `::` means all of them, of IPv4
/// as well, also on a host without IPv6. Blocks while a name is resolved, for five seconds at most.
/// Throws the last address's error.
inline void listen_at(asio::ip::tcp::acceptor& a, const endpoint& at)
{
    std::error_code error = asio::error::host_not_found;
    try {
        for (const auto& address : lookup_within(at.host, std::chrono::seconds(5))) {
            error = try_to_listen(a, {address, at.port});
            if (error && error != asio::error::address_in_use && address.is_v6() &&
                address.is_unspecified())
                error = try_to_listen(a, {asio::ip::address_v4::any(), at.port});
            if (!error) return;
        }
    } catch (const std::system_error& unresolved) {
        error = unresolved.code();
    }
    throw std::system_error(standard(error), "cannot listen at " + to_string(at));
}

/// Accepts TCP connections; a listener as `acceptor` needs one.
class listening_socket {
public:
    using connection = socket;

    /// Port 0 lets the system choose. Throws the system's error when `at` cannot be listened at.
    listening_socket(asio::io_context& context, const endpoint& at) : acceptor_(context)
    {
        listen_at(acceptor_, at);
    }

    /// The address and port; the port that the system chose, if it was asked to.
    endpoint local() const
    {
        const auto at = acceptor_.local_endpoint();
        return {at.address().to_string(), at.port()};
    }

    task<> readable() { co_await detail::readable(acceptor_); }

    socket accept(std::error_code& error)
    {
        socket s(acceptor_.get_executor());
        auto fd = accept_fd();
        if (fd.get() < 0)
            error = std::error_code(errno, std::generic_category());
        else
            s.assign(acceptor_.local_endpoint().protocol(), fd.get(), error);
        if (!error) fd.release();
        return s;
    }
    bool refuse()
    {
        return spare_.lend([this] { return accept_fd().get() >= 0; });
    }
    static bool would_block(std::error_code error)
    {
        return error == std::errc::resource_unavailable_try_again;
    }
    static network_address address(const socket& s)
    {
        std::error_code gone;
        const auto from = s.remote_endpoint(gone).address();
        return gone ? network_address{} : as_network_address(from);
    }

private:
    papilio::detail::owned_fd accept_fd()
    {
        return papilio::detail::owned_fd(
            ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC));
    }

    asio::ip::tcp::acceptor acceptor_;
    papilio::detail::spare_fd spare_;
};

}  // namespace papilio::tcp::detail
