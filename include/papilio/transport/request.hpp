#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/wire/control.hpp>

#include <cstdint>
#include <optional>
#include <utility>

// What peers ask of each other outside of rounds: requests arrive under one tag for each service,
// everything that follows under tags that hold the number of the request.
namespace papilio::detail {

/// A number that a peer may choose for its request: none that a round is likely to have, since a
/// request that fails retires its number.
constexpr bool is_request_number(std::uint32_t n) noexcept
{
    return n > max_round / 2 && n <= max_round;
}

/// The size of the next request from `peer`; nothing when the link to it is gone.
template <transport Net>
task<std::optional<std::size_t>> next_request(Net& net, int peer, control_service service,
                                              mutable_bytes into)
{
    std::optional<std::size_t> size;
    try {
        size = co_await net.recv(peer, control_door(service), into);
    } catch (const std::system_error& failure) {
        if (failure.code() == errc::too_large)
            throw std::system_error(errc::bad_message, "a request is shorter than this");
    }
    co_return size;
}

/// Unless the request succeeds, what is still to come of it is thrown away.
template <transport Net>
class request_scope {
public:
    request_scope(Net& net, control_service service, std::uint32_t request)
        : net_(net), call_(control_tag(service, request, 0))
    {
    }
    request_scope(const request_scope&) = delete;
    request_scope& operator=(const request_scope&) = delete;
    ~request_scope()
    {
        if (!succeeded_) retire(net_, call_);
    }
    void succeed() noexcept { succeeded_ = true; }

private:
    Net& net_;
    tag call_;
    bool succeeded_ = false;
};

}  // namespace papilio::detail
