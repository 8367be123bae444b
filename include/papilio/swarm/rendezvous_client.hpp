#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/swarm/member_view.hpp>
#include <papilio/swarm/own_time.hpp>
#include <papilio/transport/channel.hpp>
#include <papilio/wire/swarm.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

struct rendezvous_client_options {
    duration join_timeout = std::chrono::seconds(10);  ///< for the answer to a request to join
    duration idle_timeout = std::chrono::seconds(60);  ///< a silent rendezvous is gone after it
    duration heartbeat = std::chrono::seconds(5);      ///< between messages to the rendezvous
};
static_assert(std::is_trivially_destructible_v<rendezvous_client_options>);

/// A member's side of the conversation with the rendezvous. Calls come in this order:
///
///     join                  then fetch the state from a donor, if the run has begun and is not
///                           behind the state that this member holds: its host may know of less
///     report_state_held     the others now wait for this member, for a limited time
///     report_round_ready    after the inner steps, or earlier when `closing_in_ms` is not 0
///     await_group           then all_reduce over a subset of the group's members
///     report_round          then use the result, or fetch the state, or neither
///
/// and again from `report_round_ready`, or from fetching the state. All calls throw when the
/// channel is gone: `errc::refused` with the reason when the rendezvous does not accept this
/// member, `std::errc::resource_unavailable_try_again` when that may pass, since another session
/// has its name or address, such as its own session before its link was lost, or since the
/// rendezvous goes away and means to come back; `errc::run_over` when the run has ended; else
/// `errc::disconnected` or `errc::silent`. Time in which this program did not run counts for
/// neither. Heartbeats need a running loop. Belongs to `on`; must outlive the tasks that use it.
class rendezvous_client {
public:
    rendezvous_client(loop& on, any_channel c, rendezvous_client_options o = {});
    rendezvous_client(const rendezvous_client&) = delete;
    rendezvous_client& operator=(const rendezvous_client&) = delete;

    /// Becomes a member. Where the rendezvous does not name its own host, the answer holds the host
    /// at which this channel reached it.
    task<wire::joined> join(wire::join request);

    /// Tells where this member listens, if that was unknown when it joined.
    task<> announce(wire::endpoint at);

    /// Before fetching the state after `round` rounds: the next group may wait for this member.
    task<> report_state_fetching(std::uint32_t round);

    task<> report_state_held(wire::state_held h);
    task<> report_round_ready(wire::round_ready r);

    /// Returns the next group, or `state_outdated` if the run advanced without this member. After
    /// `report_state_held` it can only be `state_outdated`.
    task<std::variant<wire::group, wire::state_outdated>> await_group();

    /// Returns, once there are any, members that have gone since the group was called, each once.
    task<std::vector<std::uint16_t>> members_gone();

    /// Reports the result of the group's round, and returns its outcome.
    task<wire::round_outcome> report_round(wire::round_report d);

    /// Throws as all calls do once the channel is gone.
    void check() const
    {
        if (error_) throw std::system_error(error_, why_);
    }

    /// Lasts until then, and throws the same: what the run is needed for may be dropped.
    task<> lost();

    /// Returns once the rendezvous has said, since `report_state_held`, whether this member's state
    /// is the run's. It does so where members offer the first one.
    task<> state_answered();

    /// Ends the membership in good order. The last call. Where members are behind, and nobody else
    /// who stays can give them the state, this one does: it leaves when none is, or after `stay`.
    task<> leave(duration stay = {});

    /// How long the others still wait for this member, as they last said since `report_state_held`:
    /// the group is called without it then. Zero: they have not said so. Any thread may ask.
    std::uint32_t closing_in_ms() const noexcept { return view_.closing_in_ms; }

    /// Whether the rendezvous has said, since `report_state_held`, that this member's state is the
    /// run's: it does so where members offer the first one. Any thread may ask.
    bool holds_state_of_run() const noexcept { return view_.holds_state; }

private:
    task<> send(wire::swarm_message message);
    task<> next_message();
    task<> kept_or_released();
    task<> stay_until_released(duration limit);
    task<> receive_messages();
    task<> send_heartbeats();
    void fail(std::error_code why, std::string text);
    void end(std::error_code why, std::string text);
    int id() const noexcept { return view_.joined ? view_.joined->id : -1; }

    loop& loop_;
    any_channel channel_;
    rendezvous_client_options options_;
    detail::own_time clock_{loop_, options_.heartbeat};

    detail::member_view view_;
    std::error_code error_;
    std::string why_;
    bool leaving_ = false;
    gate received_;  // a message has arrived, or none will

    std::optional<task<>> receiver_ = receive_messages();
    std::optional<task<>> heartbeats_ = send_heartbeats();
};

namespace detail {
inline std::error_code code_of(wire::refusal_kind kind)
{
    if (kind == wire::refusal_kind::permanent) return make_error_code(errc::refused);
    if (kind == wire::refusal_kind::run_over) return make_error_code(errc::run_over);
    return std::make_error_code(std::errc::resource_unavailable_try_again);
}
}  // namespace detail

// g++ 12.2 destroys a temporary aggregate in an awaited call twice.
static_assert(!std::is_aggregate_v<wire::join> && !std::is_aggregate_v<wire::endpoint> &&
              !std::is_aggregate_v<wire::state_held> && !std::is_aggregate_v<wire::round_ready> &&
              !std::is_aggregate_v<wire::round_report>);

inline rendezvous_client::rendezvous_client(loop& on, any_channel c, rendezvous_client_options o)
    : loop_(on), channel_(std::move(c)), options_(o)
{
    receiver_->start(loop_);
    heartbeats_->start(loop_);
}

inline task<> rendezvous_client::send(wire::swarm_message message)
{
    check();
    const auto encoded = wire::encode(message);
    co_await channel_.send(encoded);
}

/// Waits until a message has arrived; throws when none will.
inline task<> rendezvous_client::next_message()
{
    check();
    received_.close();
    co_await received_.opened();
}

inline task<> rendezvous_client::lost()
{
    for (;;) {
        co_await next_message();
    }
}

inline task<wire::joined> rendezvous_client::join(wire::join request)
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

inline task<> rendezvous_client::announce(wire::endpoint at)
{
    wire::announce message{std::move(at)};
    co_await send(std::move(message));
}

inline task<> rendezvous_client::report_state_fetching(std::uint32_t round)
{
    wire::state_fetching message{round};
    co_await send(message);
}

inline task<> rendezvous_client::report_state_held(wire::state_held h)
{
    view_.set_state(h.round, h.digest);
    view_.closing_in_ms = 0;
    co_await send(std::move(h));
}

inline task<> rendezvous_client::report_round_ready(wire::round_ready r)
{
    view_.set_state(r.round, r.digest);
    co_await send(std::move(r));
}

inline task<std::variant<wire::group, wire::state_outdated>> rendezvous_client::await_group()
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

inline task<std::vector<std::uint16_t>> rendezvous_client::members_gone()
{
    while (view_.gone.empty()) {
        co_await next_message();
    }
    co_return std::exchange(view_.gone, {});
}

inline task<wire::round_outcome> rendezvous_client::report_round(wire::round_report d)
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

inline task<> rendezvous_client::state_answered()
{
    while (!view_.answered) {
        co_await next_message();
    }
}

/// Throws when the rendezvous has let this member go, by closing the channel.
inline task<> rendezvous_client::kept_or_released()
{
    while (!view_.kept) {
        co_await next_message();
    }
}

/// The rendezvous answers at once. One that hangs is not waited for any longer than that.
inline task<> rendezvous_client::stay_until_released(duration limit)
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

inline task<> rendezvous_client::leave(duration stay)
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

inline task<> rendezvous_client::receive_messages()
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

inline task<> rendezvous_client::send_heartbeats()
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

inline void rendezvous_client::fail(std::error_code why, std::string text)
{
    const auto sentence = [&] { return text + ": " + why.message(); };
    if (!error_ && !leaving_)
        detail::log(log_level::warning, view_.joined ? "run lost" : "join failed",
                    {"member", "why"}, id(), sentence);
    end(why, std::move(text));
}

/// The first failure is the one that calls throw.
inline void rendezvous_client::end(std::error_code why, std::string text)
{
    if (!error_) {
        error_ = why;
        why_ = std::move(text);
    }
    received_.open();
}

}  // namespace papilio
