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

/// Sends the hello `h`, receives the welcome and repeats it. Gives what was agreed about
/// frames. Throws `errc::refused` when the other side answers with anything else, or closes.
inline task<wire::content_check> say_hello(socket& s, wire::hello h)
{
    const auto hello = wire::encode(h);
    co_await write_all(s, hello);
    std::array<std::byte, sizeof wire::welcome> answer{};
    try {
        co_await read_all(s, answer);
    } catch (const std::system_error&) {
        // The other side closed the connection instead of an answer.
    }
    const auto welcome = load<std::uint32_t>(answer.data());
    if (const auto theirs = wire::refusing_version(welcome))
        throw wire::other_version("the other side", *theirs);
    const bool crc = h.crc && welcome == wire::welcome_crc;
    if (!crc && welcome != wire::welcome) throw std::system_error(errc::refused);
    co_await write_all(s, answer);
    co_return crc ? wire::content_check::crc32c : wire::content_check::none;
}

/// Throws `errc::refused` when the first bytes are no hello, or one of another version, whose
/// sender is told so.
inline task<wire::hello> receive_hello(socket& s)
{
    std::array<std::byte, wire::hello::encoded_size> encoded{};
    co_await read_all(s, encoded);
    const auto version = wire::hello_version(encoded.data());
    const bool other = version && *version != wire::wire_version;
    if (other) {
        std::array<std::byte, sizeof wire::wrong_version> answer;
        store(answer.data(), wire::wrong_version);
        co_await write_all(s, answer);
    }
    co_return wire::parse_hello(encoded.data());
}

/// Sends the welcome and waits until the other side repeats it: the side that dialled may have
/// given up before the welcome arrived.
inline task<> exchange_welcome(socket& s, wire::content_check agreed)
{
    const auto welcome = agreed == wire::content_check::crc32c ? wire::welcome_crc : wire::welcome;
    std::array<std::byte, sizeof welcome> answer;
    store(answer.data(), welcome);
    co_await write_all(s, answer);
    co_await read_all(s, answer);
    if (load<std::uint32_t>(answer.data()) != welcome)
        throw std::system_error(errc::refused, "the welcome was not repeated");
}

}  // namespace detail

}  // namespace papilio::tcp
