#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/bulk.hpp>
#include <papilio/wire/control.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Requests between peers outside of calls. They arrive under one tag per service; all further
// messages of a request have tags that contain its number.
namespace papilio::inline PAPILIO_MODE::detail {

template <class Why>
void log_refused(int peer, control_service service, const Why& why)
{
    log(log_level::warning, "request refused", {"peer", "service", "why"}, peer, name(service),
        why);
}

/// Receives the next request from `peer` and returns its size; nothing when the link has failed.
template <transport Net>
task<std::optional<std::size_t>> next_request(Net& net, int peer, control_service service,
                                              mutable_bytes into)
{
    std::optional<std::size_t> size;
    try {
        size = co_await net.recv(peer, request_tag(service), into);
    } catch (const std::system_error& failure) {
        if (failure.code() == errc::too_large) {
            const std::system_error refusal(
                errc::bad_message, "a request from peer " + std::to_string(peer) +
                                       " has more than " + std::to_string(into.size()) + " bytes");
            log_refused(peer, service, refusal.what());
            throw refusal;
        }
    }
    co_return size;
}

/// What `parse` makes of a request; throws what it throws, and logs that.
template <class Request>
Request parse_request(int peer, control_service service, Request (*parse)(bytes), bytes encoded)
{
    try {
        return parse(encoded);
    } catch (const std::system_error& malformed) {
        log_refused(peer, service, malformed.what());
        throw;
    }
}

/// Discards the messages of a request that are still to come, unless it succeeds.
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
        if (!succeeded_) discard_call(net_, call_);
    }
    void succeed() noexcept { succeeded_ = true; }

private:
    Net& net_;
    tag call_;
    bool succeeded_ = false;
};

/// The newest request, and a gate that is open until a task answers it.
template <class Request>
struct request_inbox {
    std::optional<Request> newest;
    gate arrived;
};

template <class Request, transport Net>
task<> receive_requests(Net& net, int peer, control_service service, Request (*parse)(bytes),
                        request_inbox<Request>& to)
{
    std::array<std::byte, sizeof(Request)> encoded{};
    for (;;) {
        const auto size = co_await next_request<Net>(net, peer, service, encoded);
        if (!size) co_return;
        to.newest = parse_request(peer, service, parse, bytes(encoded).first(*size));
        to.arrived.open();
    }
}

inline task<> until_open(gate& g)
{
    co_await g.opened();
}

template <class Request, transport Net, class Answer>
task<> answer_requests(Net& net, int peer, control_service service, request_inbox<Request>& from,
                       Answer answer, duration stall_timeout, duration total_timeout)
{
    for (;;) {
        co_await from.arrived.opened();
        from.arrived.close();
        const Request r = *from.newest;
        request_scope<Net> scope(net, service, r.request);
        try {
            bulk_watch watch;
            const auto begin = co_await now();
            const auto deadline = later(begin, total_timeout);
            co_await when_any(watched(answer(r, watch), watch, stall_timeout, deadline),
                              until_open(from.arrived));
            const bool replaced = from.arrived.is_open();
            if (!replaced) scope.succeed();
            log(log_level::debug, replaced ? "request replaced" : "request answered",
                {"peer", "service"}, peer, name(service));
        } catch (const std::system_error& failure) {
            // The requester times out, and may send another request.
            log(log_level::warning, "request failed", {"peer", "service", "why"}, peer,
                name(service), failure.what());
        }
    }
}

/// Answers `peer`'s requests for a service one at a time, until the link to it fails. An answer is
/// given up after `total_timeout`, or after `stall_timeout` without progress. A request that
/// arrives while another is being answered replaces it: the requester has given that one up.
/// `answer(request, watch)` returns the task that answers. Throws what `parse` throws for a request
/// that is malformed.
template <class Request, transport Net, class Answer>
task<> serve_requests(Net& net, int peer, control_service service, Request (*parse)(bytes),
                      Answer answer, duration stall_timeout, duration total_timeout)
{
    request_inbox<Request> inbox;
    co_await when_any(receive_requests<Request, Net>(net, peer, service, parse, inbox),
                      answer_requests<Request, Net>(net, peer, service, inbox, answer,
                                                    stall_timeout, total_timeout));
}

}  // namespace papilio::detail
