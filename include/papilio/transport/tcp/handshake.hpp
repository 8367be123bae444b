#pragma once

#include <papilio/transport/tcp/socket.hpp>
#include <papilio/wire/hello.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace papilio::tcp {

/// Where a peer listens: a host, by name or number, and a port. An empty host means nowhere.
struct endpoint {
    std::string host;
    std::uint16_t port = 0;

    friend bool operator==(const endpoint&, const endpoint&) = default;
};

inline std::string to_string(const endpoint& e)
{
    const bool v6 = e.host.find(':') != std::string::npos;
    return (v6 ? '[' + e.host + ']' : e.host) + ':' + std::to_string(e.port);
}

namespace detail {

/// Looks a name up; numbers are taken as they are. Throws the resolver's error.
inline task<asio::ip::tcp::endpoint> resolve(asio::io_context& context, const endpoint& e)
{
    std::error_code unresolved;
    const auto number = asio::ip::make_address(e.host, unresolved);
    if (!unresolved) co_return asio::ip::tcp::endpoint(number, e.port);

    // The handler may outlive this task: what it writes to is shared with it.
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
    co_return found->begin()->endpoint();
}

/// Dials `to`, says `h` and waits for the welcome. Throws when anything goes wrong.
inline task<> introduce_oneself(socket& s, const endpoint& to, wire::hello h,
                                const char* congestion)
{
    auto& context = static_cast<asio::io_context&>(s.get_executor().context());
    const auto address = co_await resolve(context, to);
    const auto error = co_await connected(s, address);
    if (error) throw std::system_error(error, to_string(to));
    tune(s, congestion);
    const auto hello = wire::encode(h);
    co_await write_all(s, hello);
    std::array<std::byte, sizeof wire::welcome> answer{};
    co_await read_all(s, answer);
    if (load<std::uint32_t>(answer.data()) != wire::welcome)
        throw std::system_error(errc::refused, to_string(to));
}

inline task<wire::hello> hear_hello(socket& s)
{
    std::array<std::byte, wire::hello::encoded_size> heard{};
    co_await read_all(s, heard);
    const auto h = wire::parse_hello(heard.data());
    if (!h) throw std::system_error(errc::refused);
    co_return *h;
}

inline task<> say_welcome(socket& s)
{
    std::array<std::byte, sizeof wire::welcome> answer;
    store(answer.data(), wire::welcome);
    co_await write_all(s, answer);
}

}  // namespace detail

}  // namespace papilio::tcp
