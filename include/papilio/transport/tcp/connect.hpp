#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/asio_context.hpp>
#include <papilio/async/asio_loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/detail/staggered.hpp>
#include <papilio/transport/tcp/endpoint.hpp>
#include <papilio/transport/tcp/resolver.hpp>
#include <papilio/transport/tcp/socket.hpp>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::tcp::detail {

/// Converts an error of Asio's system category, which does not compare equal to `std::errc`, to the
/// standard one.
inline std::error_code standard(std::error_code error)
{
    if (error.category() != asio::error::get_system_category()) return error;
    return {error.value(), std::system_category()};
}

/// The socket belongs to the attempt until it is connected: dropping that closes it.
inline task<socket> connect_once(asio_loop& on, asio::ip::tcp::endpoint to)
{
    socket s(asio_context(on));
    const auto error = co_await connected(s, to);
    if (error) {
        const auto at = endpoint(to.address().to_string(), to.port());
        throw std::system_error(standard(error), to_string(at));
    }
    co_return s;
}

/// A connection with the first address of `to` that accepts one, of both families in turns. Throws
/// the last failure. Who awaits it bounds its time.
inline task<socket> connect_to(asio_loop& on, resolver& names, endpoint to)
{
    constexpr std::size_t most = 16;  // attempts may all be under way at a time
    addresses found;
    try {
        found = co_await names.resolve(to.host);
    } catch (const std::system_error& failure) {
        throw std::system_error(failure.code(), "cannot resolve " + to_string(to));
    }
    const auto v6 = [](const asio::ip::address& a) { return a.is_v6(); };
    found = papilio::detail::interleaved(found, v6);
    std::vector<task<socket>> attempts;
    for (std::size_t i = 0; i < std::min(found.size(), most); ++i) {
        const asio::ip::tcp::endpoint address(found[i], to.port);
        attempts.push_back(connect_once(on, address));
    }
    if (attempts.empty())
        throw std::system_error(asio::error::host_not_found, "cannot resolve " + to_string(to));
    papilio::detail::staggered<socket> any(on, std::move(attempts));
    co_return co_await any.first();
}

}  // namespace papilio::tcp::detail
