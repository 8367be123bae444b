#pragma once

#include <papilio/base/config.hpp>

#include <asio/io_context.hpp>

namespace papilio::inline PAPILIO_MODE::detail {

/// What Asio has of an `asio_loop`, apart so that its own header needs none of Asio's.
struct asio_io {
    asio::io_context context{1};
};

}  // namespace papilio::detail
