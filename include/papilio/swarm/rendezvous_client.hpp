#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/channel.hpp>
#include <papilio/wire/swarm.hpp>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace papilio {

struct rendezvous_client_options {
    duration answer = std::chrono::seconds(10);  ///< to a request to join
    duration idle_timeout =
        std::chrono::seconds(60);                  ///< of the rendezvous, before it counts as gone
    duration heartbeat = std::chrono::seconds(5);  ///< between signs of life to it
};
static_assert(std::is_trivially_destructible_v<rendezvous_client_options>);

/// One member of a run, as it talks to the rendezvous. In this order:
///
///     join                  and fetch the state from a donor, if the run has begun
///     holding               the others now wait for this member, for a while
///     ready                 after the inner steps, or sooner when `hurried`
///     await_group           then all_reduce over a subset of its members
///     done                  then take the result into use, or fetch the state, or neither
///
/// and again from `ready`, or from fetching. All of them throw when the channel is gone:
/// `errc::refused` with the reason when the rendezvous does not want this member,
/// `std::errc::resource_unavailable_try_again` when only a session that may end soon is in its way,
/// as its own from before its link was lost, else `errc::disconnected` or `errc::silent`. Name what
/// you pass before you await a call: g++ 12 destroys temporary messages twice. Signs of life need a
/// running loop. Belongs to `on`; must outlive the tasks that use it.
class rendezvous_client {
public:
    rendezvous_client(loop& on, any_channel c, rendezvous_client_options o = {});
    rendezvous_client(const rendezvous_client&) = delete;
    rendezvous_client& operator=(const rendezvous_client&) = delete;

    /// Becomes a member. Where the rendezvous leaves out its own host, the answer holds the one at
    /// which this channel reached it.
    task<wire::joined> join(wire::join request);

    /// Where this member listens, if it could not say so when it joined.
    task<> announce(wire::endpoint at);

    task<> holding(wire::state_held h);
    task<> ready(wire::round_ready r);

    /// After `ready`: the group to average in, or that the run has gone on without this member.
    /// After `holding`, only the latter.
    task<std::variant<wire::group, wire::state_outdated>> await_group();

    /// Tells how the group's round went, and gives what became of it.
    task<wire::round_outcome> done(wire::round_report d);

    /// Goes in an orderly way. The last call.
    task<> leave();

    /// Since the last `holding`: others are ready, and will not wait for this member for longer
    /// than the time that the message held. Zero: nobody waits.
    std::uint32_t closing_in_ms() const noexcept { return hurried_ms_; }

    /// What has become known since the last `holding` or `ready`, without waiting for it: false
    /// means that this member's state is still the run's.
    bool is_outdated() const noexcept { return outdated_.has_value(); }

private:
    task<> say(wire::swarm_message message);
    task<> news();
    void claim(std::uint32_t round, const std::string& digest);
    bool stale(const wire::run_status& s) const;
    void complete(wire::endpoint& at) const;
    void complete(wire::run_status& s) const;
    void note(wire::swarm_message message);
    task<> listen();
    task<> show_life();
    void fail(std::error_code why, std::string text);

    loop& loop_;
    any_channel channel_;
    rendezvous_client_options options_;

    std::optional<wire::joined> joined_;
    std::optional<wire::group> group_;
    std::optional<wire::state_outdated> outdated_;
    std::optional<wire::round_outcome> settled_;
    std::uint32_t hurried_ms_ = 0;
    std::uint32_t claimed_round_ = 0;  // what this member said it holds
    std::string claimed_digest_;
    std::error_code error_;
    std::string why_;
    gate news_;

    std::optional<task<>> listener_ = listen();
    std::optional<task<>> pulse_ = show_life();
};

inline rendezvous_client::rendezvous_client(loop& on, any_channel c, rendezvous_client_options o)
    : loop_(on), channel_(std::move(c)), options_(o)
{
    listener_->start(loop_);
    pulse_->start(loop_);
}

inline task<> rendezvous_client::say(wire::swarm_message message)
{
    if (error_) throw std::system_error(error_, why_);
    const auto encoded = wire::encode(message);
    co_await channel_.send(encoded);
}

/// Lasts until something has come; throws when nothing will.
inline task<> rendezvous_client::news()
{
    if (error_) throw std::system_error(error_, why_);
    news_.close();
    co_await news_.opened();
}

inline task<wire::joined> rendezvous_client::join(wire::join request)
{
    co_await say(std::move(request));
    const auto deadline = loop_.now() + options_.answer;
    while (!joined_) {
        task<> next = news();
        co_await timeout(std::move(next), deadline);
    }
    co_return *joined_;
}

inline task<> rendezvous_client::announce(wire::endpoint at)
{
    wire::announce message{std::move(at)};
    co_await say(std::move(message));
}

inline void rendezvous_client::claim(std::uint32_t round, const std::string& digest)
{
    claimed_round_ = round;
    claimed_digest_ = digest;
    outdated_.reset();
    group_.reset();
}

inline task<> rendezvous_client::holding(wire::state_held h)
{
    claim(h.round, h.digest);
    hurried_ms_ = 0;
    co_await say(std::move(h));
}

inline task<> rendezvous_client::ready(wire::round_ready r)
{
    claim(r.round, r.digest);
    co_await say(std::move(r));
}

inline task<std::variant<wire::group, wire::state_outdated>> rendezvous_client::await_group()
{
    while (!group_ && !outdated_) {
        co_await news();
    }
    std::variant<wire::group, wire::state_outdated> found;
    if (group_)
        found = *std::exchange(group_, std::nullopt);
    else
        found = *std::exchange(outdated_, std::nullopt);
    co_return found;
}

inline task<wire::round_outcome> rendezvous_client::done(wire::round_report d)
{
    const auto round = d.round;
    const auto attempt = d.attempt;
    co_await say(std::move(d));
    while (!settled_ || settled_->round != round || settled_->attempt != attempt) {
        co_await news();
    }
    hurried_ms_ = 0;
    if (settled_->ok && settled_->yours) claim(settled_->now.round, settled_->now.digest);
    co_return *std::exchange(settled_, std::nullopt);
}

inline task<> rendezvous_client::leave()
{
    co_await say(wire::leave{});
    pulse_.reset();
    listener_.reset();
    fail(make_error_code(errc::disconnected), "this member has left");
    co_await channel_.close();
}

/// Said before the rendezvous heard what this member holds now.
inline bool rendezvous_client::stale(const wire::run_status& s) const
{
    const bool same_bits =
        s.digest.empty() || claimed_digest_.empty() || s.digest == claimed_digest_;
    return s.round == claimed_round_ && same_bits;
}

inline void rendezvous_client::complete(wire::endpoint& at) const
{
    if (at.host.empty() && at.port != 0) at.host = channel_.remote();
}

inline void rendezvous_client::complete(wire::run_status& s) const
{
    for (auto& donor : s.donors)
        if (donor.id == 0) complete(donor.at);
}

inline void rendezvous_client::note(wire::swarm_message message)
{
    if (auto* welcome = std::get_if<wire::joined>(&message)) {
        complete(welcome->host);
        complete(welcome->now);
        joined_ = std::move(*welcome);
    } else if (auto* group = std::get_if<wire::group>(&message)) {
        for (auto& m : group->members)
            if (m.id == 0) complete(m.at);
        group_ = std::move(*group);
    } else if (auto* behind = std::get_if<wire::state_outdated>(&message)) {
        complete(behind->now);
        if (!stale(behind->now)) outdated_ = std::move(*behind);
    } else if (auto* outcome = std::get_if<wire::round_outcome>(&message)) {
        complete(outcome->now);
        settled_ = std::move(*outcome);
    } else if (auto* awaited = std::get_if<wire::round_closing>(&message)) {
        if (awaited->round == claimed_round_) hurried_ms_ = awaited->within_ms;
    } else if (auto* no = std::get_if<wire::refused>(&message)) {
        fail(no->temporary ? std::make_error_code(std::errc::resource_unavailable_try_again)
                           : make_error_code(errc::refused),
             no->reason);
    } else if (!std::holds_alternative<wire::alive>(message)) {
        throw std::system_error(errc::bad_message, "the rendezvous does not say this");
    }
    news_.open();
}

inline task<> rendezvous_client::listen()
{
    try {
        for (;;) {
            task<std::vector<std::byte>> next = channel_.recv(wire::max_swarm_message);
            const auto message =
                co_await timeout(std::move(next), loop_.now() + options_.idle_timeout);
            note(wire::parse_swarm(message));
        }
    } catch (const std::system_error& failure) {
        if (failure.code() == errc::timed_out)
            fail(make_error_code(errc::silent), "the rendezvous");
        else
            fail(failure.code(), "the rendezvous");
    }
}

inline task<> rendezvous_client::show_life()
{
    const auto sign = wire::encode(wire::alive{});
    try {
        for (;;) {
            co_await sleep_for(options_.heartbeat);
            if (joined_) {
                co_await channel_.send(sign);
            }
        }
    } catch (const std::system_error& failure) {
        fail(failure.code(), "the rendezvous");
    }
}

inline void rendezvous_client::fail(std::error_code why, std::string text)
{
    if (!error_) {
        error_ = why;
        why_ = std::move(text);
    }
    news_.open();
}

}  // namespace papilio
