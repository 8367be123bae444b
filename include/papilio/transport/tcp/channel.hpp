#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace papilio::inline PAPILIO_MODE::tcp {

namespace detail {
class channel_state;
}

/// A channel (see the concept `papilio::channel`) over one TCP connection, which `dial` or a
/// listener has made. Several tasks may send at once.
class channel {
public:
    explicit channel(std::unique_ptr<detail::channel_state> state) noexcept;
    channel(channel&&) noexcept;
    channel& operator=(channel&&) noexcept;
    ~channel();

    task<> send(bytes message);
    task<std::vector<std::byte>> recv(std::size_t limit);
    task<> close();
    std::string remote() const;

private:
    std::unique_ptr<detail::channel_state> state_;
};

}  // namespace papilio::tcp

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/tcp/channel.hpp>
#endif
