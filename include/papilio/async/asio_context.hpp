#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/detail/asio_io.hpp>
#include <papilio/base/config.hpp>

#include <asio/io_context.hpp>

namespace papilio::inline PAPILIO_MODE {

/// The loop's own `io_context`. Handlers that run there post events and do nothing else.
inline asio::io_context& asio_context(asio_loop& on) noexcept
{
    return on.native().context;
}

}  // namespace papilio
