#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/swarm/rendezvous_client.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

namespace detail {
inline std::error_code code_of(wire::refusal_kind kind)
{
    if (kind == wire::refusal_kind::permanent) return make_error_code(errc::refused);
    if (kind == wire::refusal_kind::run_over) return make_error_code(errc::run_over);
    return std::make_error_code(std::errc::resource_unavailable_try_again);
}
}  // namespace detail

PAPILIO_DECL rendezvous_client::rendezvous_client(loop& on, any_channel c,
                                                  rendezvous_client_options o)
    : loop_(on), channel_(std::move(c)), options_(o)
{
    receiver_->start(loop_);
    heartbeats_->start(loop_);
}

PAPILIO_DECL task<> rendezvous_client::send(wire::swarm_message message)
{
    check();
    const auto encoded = wire::encode(message);
    co_await channel_.send(encoded);
}

/// Waits until a message has arrived; throws when none will.
PAPILIO_DECL task<> rendezvous_client::next_message()
{
    check();
    received_.close();
    co_await received_.opened();
}

PAPILIO_DECL task<> rendezvous_client::lost()
{
    for (;;) {
        co_await next_message();
    }
}

PAPILIO_DECL task<wire::joined> rendezvous_client::join(wire::join request)
{
    co_await send(std::move(request));
    const auto deadline = later(clock_.now(), options_.join_timeout);
    while (!view_.joined) {
        task<> next = next_message();
        co_await detail::within(clock_, deadline - clock_.now(), std::move(next));
    }
    detail::log(log_level::info, "run joined", {"member", "round"}, id(), view_.joined->now.round);
    co_return *view_.joined;
}

PAPILIO_DECL task<> rendezvous_client::announce(wire::endpoint at)
{
    wire::announce message{std::move(at)};
    co_await send(std::move(message));
}

PAPILIO_DECL task<> rendezvous_client::report_state_fetching(std::uint32_t round)
{
    wire::state_fetching message{round};
    co_await send(message);
}

PAPILIO_DECL task<> rendezvous_client::report_state_held(wire::state_held h)
{
    view_.set_state(h.round, h.digest);
    view_.closing_in_ms = 0;
    co_await send(std::move(h));
}

PAPILIO_DECL task<> rendezvous_client::report_round_ready(wire::round_ready r)
{
    view_.set_state(r.round, r.digest);
    co_await send(std::move(r));
}

PAPILIO_DECL task<std::variant<wire::group, wire::state_outdated>> rendezvous_client::await_group()
{
    while (!view_.group && !view_.outdated) {
        co_await next_message();
    }
    std::variant<wire::group, wire::state_outdated> result;
    if (view_.group) {
        const auto& g = *view_.group;
        detail::log(log_level::info, "group joined",
                    {"member", "round", "attempt", "epoch", "members"}, id(), g.round, g.attempt,
                    g.epoch, g.members.size());
        result = *std::exchange(view_.group, std::nullopt);
    } else {
        detail::log(log_level::info, "state outdated", {"member", "round"}, id(),
                    view_.outdated->now.round);
        result = *std::exchange(view_.outdated, std::nullopt);
    }
    co_return result;
}

PAPILIO_DECL task<std::vector<std::uint16_t>> rendezvous_client::members_gone()
{
    while (view_.gone.empty()) {
        co_await next_message();
    }
    co_return std::exchange(view_.gone, {});
}

PAPILIO_DECL task<wire::round_outcome> rendezvous_client::report_round(wire::round_report d)
{
    const auto round = d.round;
    const auto attempt = d.attempt;
    co_await send(std::move(d));
    while (!view_.has_outcome(round, attempt)) {
        co_await next_message();
    }
    const auto& outcome = *view_.outcome;
    const char* result = outcome.yours ? "adopted" : "missed";
    detail::log(log_level::info, "round ended", {"member", "round", "attempt", "result"}, id(),
                round, attempt, outcome.ok ? result : "failed");
    co_return view_.take_outcome();
}

PAPILIO_DECL task<> rendezvous_client::state_answered()
{
    while (!view_.answered) {
        co_await next_message();
    }
}

/// Throws when the rendezvous has let this member go, by closing the channel.
PAPILIO_DECL task<> rendezvous_client::kept_or_released()
{
    while (!view_.kept) {
        co_await next_message();
    }
}

/// The rendezvous answers at once. One that hangs is not waited for any longer than that.
PAPILIO_DECL task<> rendezvous_client::stay_until_released(duration limit)
{
    constexpr duration answers = std::chrono::seconds(5);
    const auto begun = loop_.now();
    try {
        task<> answer = kept_or_released();
        co_await timeout(std::move(answer), later(begun, std::min(limit, answers)));
        detail::log(log_level::info, "stays for others", {"member"}, id());
        task<> released = lost();
        co_await timeout(std::move(released), later(begun, limit));
    } catch (const std::system_error&) {
        // It may go, or has stayed for long enough.
    }
}

PAPILIO_DECL task<> rendezvous_client::leave(duration stay)
{
    leaving_ = true;
    co_await send(wire::leave{});
    if (stay > duration{}) {
        task<> stayed = stay_until_released(stay);
        co_await std::move(stayed);
    }
    heartbeats_.reset();
    receiver_.reset();
    detail::log(log_level::info, "run left", {"member"}, id());
    end(make_error_code(errc::disconnected), "this member has left");
    co_await channel_.close();
}

PAPILIO_DECL task<> rendezvous_client::receive_messages()
{
    try {
        for (;;) {
            task<std::vector<std::byte>> next = channel_.recv(wire::max_swarm_message);
            const auto message = co_await detail::within<std::vector<std::byte>>(
                clock_, options_.idle_timeout, std::move(next));
            view_.take(wire::parse_swarm(message), channel_.remote());
            if (const auto& no = view_.refused; no && !error_)
                fail(detail::code_of(no->kind), no->reason);
            received_.open();
        }
    } catch (const std::system_error& failure) {
        if (failure.code() == errc::timed_out)
            fail(make_error_code(errc::silent), "the rendezvous");
        else
            fail(failure.code(), "the rendezvous");
    }
}

PAPILIO_DECL task<> rendezvous_client::send_heartbeats()
{
    const auto heartbeat = wire::encode(wire::alive{});
    try {
        for (;;) {
            co_await sleep_for(options_.heartbeat);
            clock_.now();  // so that it knows of no gap
            if (view_.joined) {
                co_await channel_.send(heartbeat);
            }
        }
    } catch (const std::system_error& failure) {
        fail(failure.code(), "the rendezvous");
    }
}

PAPILIO_DECL void rendezvous_client::fail(std::error_code why, std::string text)
{
    const auto sentence = [&] { return text + ": " + why.message(); };
    if (!error_ && !leaving_)
        detail::log(log_level::warning, view_.joined ? "run lost" : "join failed",
                    {"member", "why"}, id(), sentence);
    end(why, std::move(text));
}

/// The first failure is the one that calls throw.
PAPILIO_DECL void rendezvous_client::end(std::error_code why, std::string text)
{
    if (!error_) {
        error_ = why;
        why_ = std::move(text);
    }
    received_.open();
}

}  // namespace papilio
