#pragma once

#include <papilio/base/config.hpp>

#include <asio/io_context.hpp>

#include <memory>

namespace papilio::inline PAPILIO_MODE::detail {

/// What Asio has of an `asio_loop`, apart so that its own header needs none of Asio's.
struct asio_io {
    asio::io_context context{1};
    std::shared_ptr<void> ready;  // a `ready_set`, once there is one
};

}  // namespace papilio::detail
