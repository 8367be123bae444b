#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/base/config.hpp>
#include <papilio/transport/tcp/endpoint.hpp>
#include <papilio/transport/tcp/socket.hpp>
#include <papilio/wire/hello.hpp>

#include <array>
#include <cstdint>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::tcp {

namespace detail {

/// Sends the hello `h` to `to`, receives the welcome and repeats it. Throws `errc::refused` when
/// the other side answers with anything else, or closes.
inline task<> say_hello(socket& s, const endpoint& to, wire::hello h)
{
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
