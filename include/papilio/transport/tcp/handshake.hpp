#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/base/config.hpp>
#include <papilio/transport/tcp/endpoint.hpp>
#include <papilio/transport/tcp/socket.hpp>
#include <papilio/wire/frame.hpp>
#include <papilio/wire/hello.hpp>

#include <array>
#include <cstdint>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::tcp {

namespace detail {

/// Sends the hello `h`, receives the welcome and repeats it. Throws `errc::refused` when the other
/// side answers with anything else, or closes.
inline task<wire::welcome> say_hello(socket& s, wire::hello h)
{
    const auto hello = wire::encode(h);
    co_await write_all(s, hello);
    std::array<std::byte, wire::welcome::encoded_size> answer{};
    try {
        co_await read_all(s, answer);
    } catch (const std::system_error&) {
        // The other side closed the connection instead of an answer, or after a refusal.
    }
    const auto welcome = wire::parse_welcome(answer.data(), h.crc);
    co_await write_all(s, answer);
    co_return welcome;
}

/// Throws `errc::refused` when the first bytes are no hello, or one of another version, whose
/// sender is told so.
inline task<wire::hello> receive_hello(socket& s)
{
    std::array<std::byte, wire::hello::encoded_size> encoded{};
    const mutable_bytes all(encoded);
    co_await read_all(s, all.first(wire::hello::head_size));  // another version's may be shorter
    const auto version = wire::hello_version(encoded.data());
    const bool other = version && *version != wire::wire_version;
    if (other) {
        std::array<std::byte, sizeof wire::wrong_version> answer;
        store(answer.data(), wire::wrong_version);
        co_await write_all(s, answer);
    }
    if (version && !other) {
        co_await read_all(s, all.subspan(wire::hello::head_size));
    }
    co_return wire::parse_hello(encoded.data());
}

/// Sends the welcome and waits until the other side repeats it: the side that dialled may have
/// given up before the welcome arrived.
inline task<> exchange_welcome(socket& s, wire::welcome w)
{
    const auto welcome = wire::encode(w);
    co_await write_all(s, welcome);
    auto answer = welcome;
    co_await read_all(s, answer);
    if (answer != welcome) throw std::system_error(errc::refused, "the welcome was not repeated");
}

}  // namespace detail

}  // namespace papilio::tcp
