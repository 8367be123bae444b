#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/base/config.hpp>
#include <papilio/transport/tcp/endpoint.hpp>
#include <papilio/transport/tcp/socket.hpp>
#include <papilio/wire/hello.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::tcp {

namespace detail {

/// Converts an error of Asio's system category, which does not compare equal to `std::errc`, to the
/// standard one.
inline std::error_code standard(std::error_code error)
{
    if (error.category() != asio::error::get_system_category()) return error;
    return {error.value(), std::system_category()};
}

/// Resolves a host name; addresses are used as they are. Throws the resolver's error.
inline task<std::vector<asio::ip::tcp::endpoint>> resolve(asio::io_context& context,
                                                          const endpoint& e)
{
    std::vector<asio::ip::tcp::endpoint> addresses;
    std::error_code unresolved;
    const auto number = asio::ip::make_address(e.host, unresolved);
    if (!unresolved) {
        addresses.emplace_back(number, e.port);
        co_return addresses;
    }

    // The handler may outlive this task: it shares ownership of what it writes to.
    auto resolver = std::make_shared<asio::ip::tcp::resolver>(context);
    auto found = std::make_shared<asio::ip::tcp::resolver::results_type>();
    const auto port = std::to_string(e.port);
    asio_operation lookup([&](auto done) {
        resolver->async_resolve(e.host, port,
                                [done = std::move(done), found, resolver](
                                    std::error_code error, const auto& results) mutable {
                                    *found = results;
                                    done(error);
                                });
    });
    const auto error = co_await lookup;
    if (error) throw std::system_error(error, "cannot resolve " + to_string(e));
    for (const auto& entry : *found) addresses.push_back(entry.endpoint());
    co_return addresses;
}

/// Connects to the first address of `to` that accepts; throws the last one's error.
inline task<> connect_to(socket& s, const endpoint& to)
{
    auto& context = static_cast<asio::io_context&>(s.get_executor().context());
    const auto addresses = co_await resolve(context, to);
    std::error_code error = asio::error::host_not_found;
    for (const auto& address : addresses) {
        std::error_code ignored;  // the socket may still be open from the last attempt
        s.close(ignored);
        error = co_await connected(s, address);
        if (!error) co_return;
    }
    throw std::system_error(standard(error), to_string(to));
}

/// Listens at the first address of `at` that belongs to this host. Blocks while a name is resolved.
/// Throws the last address's error.
inline void listen_at(asio::ip::tcp::acceptor& a, const endpoint& at)
{
    const auto attempt = [&](const asio::ip::tcp::endpoint& address) {
        std::error_code error;
        a.close(error);
        a.open(address.protocol(), error);
        if (!error) a.set_option(asio::socket_base::reuse_address(true), error);
        if (!error) a.bind(address, error);
        if (!error) a.listen(asio::socket_base::max_listen_connections, error);
        if (!error) a.non_blocking(true, error);
        return error;
    };
    asio::ip::tcp::resolver resolver(a.get_executor());
    std::error_code error;
    const auto found = resolver.resolve(at.host, std::to_string(at.port), error);
    for (const auto& entry : found) {
        error = attempt(entry.endpoint());
        if (!error) return;
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
    socket accept(std::error_code& error) { return acceptor_.accept(error); }
    static bool would_block(std::error_code error) { return error == asio::error::would_block; }

private:
    asio::ip::tcp::acceptor acceptor_;
};

/// Connects to `to`, sends the hello `h`, receives the welcome and repeats it. Throws
/// `errc::refused` when the other side answers with anything else, or closes.
inline task<> open_connection(socket& s, const endpoint& to, wire::hello h, const char* congestion)
{
    co_await connect_to(s, to);
    tune(s, congestion);
    const auto hello = wire::encode(h);
    co_await write_all(s, hello);
    std::array<std::byte, sizeof wire::welcome> answer{};
    try {
        co_await read_all(s, answer);
    } catch (const std::system_error&) {
        // The other side closed the connection instead of an answer.
    }
    if (load<std::uint32_t>(answer.data()) != wire::welcome)
        throw std::system_error(errc::refused, to_string(to));
    co_await write_all(s, answer);
}

/// Throws `errc::refused` when the first bytes are no hello.
inline task<wire::hello> receive_hello(socket& s)
{
    std::array<std::byte, wire::hello::encoded_size> encoded{};
    co_await read_all(s, encoded);
    const auto h = wire::parse_hello(encoded.data());
    if (!h) throw std::system_error(errc::refused, "the connection began with no hello");
    co_return *h;
}

/// Sends the welcome and waits until the other side repeats it: the side that dialled may have
/// given up before the welcome arrived.
inline task<> exchange_welcome(socket& s)
{
    std::array<std::byte, sizeof wire::welcome> answer;
    store(answer.data(), wire::welcome);
    co_await write_all(s, answer);
    co_await read_all(s, answer);
    if (load<std::uint32_t>(answer.data()) != wire::welcome)
        throw std::system_error(errc::refused, "the welcome was not repeated");
}

}  // namespace detail

}  // namespace papilio::tcp
