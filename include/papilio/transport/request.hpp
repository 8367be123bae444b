#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/bulk.hpp>
#include <papilio/wire/control.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

// What peers ask of each other outside of calls: requests arrive under one tag for each service,
// everything that follows under tags that hold the number of the request.
namespace papilio::detail {

/// A number that a peer may choose for its request: none that a call is likely to have, since a
/// request that fails retires its number.
constexpr bool is_request_number(std::uint32_t n) noexcept
{
    return n > max_call && n <= max_tag_call;
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

/// The newest request that nobody has taken up yet.
template <class Request>
struct request_inbox {
    std::optional<Request> newest;
    gate came;
};

template <class Request, transport Net>
task<> hear_requests(Net& net, int peer, control_service service, Request (*parse)(bytes),
                     request_inbox<Request>& to)
{
    std::array<std::byte, Request::encoded_size> asked{};
    for (;;) {
        const auto size = co_await next_request<Net>(net, peer, service, asked);
        if (!size) co_return;
        to.newest = parse(bytes(asked).first(*size));
        to.came.open();
    }
}

inline task<> until_open(gate& g)
{
    co_await g.opened();
}

template <class Request, transport Net, class Answer>
task<> answer_requests(Net& net, control_service service, request_inbox<Request>& from,
                       Answer answer, duration patience, duration deadline)
{
    loop& on = co_await this_loop{};
    for (;;) {
        co_await from.came.opened();
        from.came.close();
        const Request r = *from.newest;
        request_scope<Net> scope(net, service, r.request);
        try {
            bulk_watch watch;
            std::vector<task<>> either;
            either.push_back(watched(answer(r, watch), watch, patience, on.now() + deadline));
            either.push_back(until_open(from.came));
            co_await when_any(std::move(either));
            if (!from.came.is_open()) scope.succeed();
        } catch (const std::system_error&) {
            // Whoever asks finds out by itself, and may ask again.
        }
    }
}

/// Answers `peer`'s requests for a service one at a time, until the link to it is gone; each gets
/// `deadline`, and `patience` without any progress. A request that comes while another is answered
/// takes its place: whoever asked has given the other one up. `answer(request, watch)` gives the
/// task that answers. Throws what `parse` does for nonsense.
template <class Request, transport Net, class Answer>
task<> serve_requests(Net& net, int peer, control_service service, Request (*parse)(bytes),
                      Answer answer, duration patience, duration deadline)
{
    request_inbox<Request> inbox;
    std::vector<task<>> both;
    both.push_back(hear_requests<Request, Net>(net, peer, service, parse, inbox));
    both.push_back(answer_requests<Request, Net>(net, service, inbox, answer, patience, deadline));
    co_await when_any(std::move(both));
}

}  // namespace papilio::detail
