#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/swarm/addresses.hpp>
#include <papilio/swarm/membership.hpp>
#include <papilio/swarm/own_time.hpp>
#include <papilio/transport/channel.hpp>
#include <papilio/wire/swarm.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// One channel to the rendezvous, before and while a member speaks from it: its queue of messages
/// to send, and how it ends.
class rendezvous_session {
public:
    rendezvous_session(own_time& clock, any_channel c, bool host, duration idle_timeout)
        : clock_(clock), channel_(std::move(c)), host_(host), idle_timeout_(idle_timeout)
    {
    }

    bool is_host() const noexcept { return host_; }

    /// The member's id; -1 before it has joined, and once it has left.
    int id() const noexcept { return id_; }
    void set_id(int id) noexcept { id_ = id; }

    /// The host that this channel came from, if it is known.
    std::string remote() const { return channel_.remote(); }

    bool idle() const noexcept { return outbox_.empty(); }

    /// Whether no more messages are queued: the session ends when the queue is sent.
    bool ending() const noexcept { return ending_; }

    /// Whether the other side is on this host.
    bool nearby() const { return is_nearby(channel_.remote()); }

    /// Queues a message. A member that does not read its messages is cut off, so that the queue
    /// stays short.
    void post(const wire::swarm_message& message)
    {
        constexpr std::size_t max_queued = 64;
        if (ending_) return;
        if (outbox_.size() >= max_queued) return overflow_.open();
        outbox_.push_back(wire::encode(message));
        queued_.open();
    }

    /// Ends the session after one more message, which says why.
    void dismiss(const wire::refused& why)
    {
        post(wire::refused{why.reason.substr(0, wire::detail::max_text), why.kind});
        id_ = -1;
        ending_ = true;
    }

    /// Ends the session of a member that has left by now.
    void release()
    {
        log_end(false, {});
        id_ = -1;
        ending_ = true;
        queued_.open();
    }

    /// Before a member that is still here leaves. Without `failed` it says goodbye itself.
    void log_end(bool failed, const std::string& why) const
    {
        const auto from = [&] { return channel_.remote(); };
        if (id_ >= 0 && failed)
            log(log_level::warning, "member lost", {"member", "why"}, id_, why);
        else if (id_ >= 0)
            log(log_level::info, "member left", {"member"}, id_);
        else if (failed && !ending_)
            log(log_level::warning, "session refused", {"from", "why"}, from, why);
    }

    task<wire::swarm_message> receive(duration limit)
    {
        task<std::vector<std::byte>> next = channel_.recv(wire::max_member_message);
        const auto message =
            co_await within<std::vector<std::byte>>(clock_, limit, std::move(next));
        co_return wire::parse_swarm(message);
    }

    /// Sends what is queued, until the session ends.
    task<> send_queue()
    {
        for (;;) {
            while (!outbox_.empty()) {
                const auto message = std::move(outbox_.front());
                outbox_.pop_front();
                task<> sent = channel_.send(message);
                co_await within(clock_, idle_timeout_, std::move(sent));
            }
            if (ending_) co_return;
            queued_.close();
            co_await queued_.opened();
        }
    }

    /// Fails when the queue has become too long.
    task<> fail_on_overflow()
    {
        co_await overflow_.opened();
        throw std::system_error(errc::too_large, "it does not read the messages sent to it");
    }

    /// Never returns: lets the rest of the queue be sent meanwhile.
    task<> wait_for_end() { co_await overflow_.opened(); }

    /// Closes the channel, unless the other side does not read: that could last for ever.
    task<> close()
    {
        if (!overflow_.is_open()) {
            co_await channel_.close();
        }
    }

private:
    own_time& clock_;
    any_channel channel_;
    bool host_;
    duration idle_timeout_;
    int id_ = -1;
    bool ending_ = false;
    std::deque<std::vector<std::byte>> outbox_;
    gate queued_;    // the queue holds something
    gate overflow_;  // the queue was too long once

public:
    std::unique_ptr<task<>> work;  ///< serves this session, and so is destroyed before the rest
};

/// Passes on the message of a member that has joined. Throws when an honest member would not send
/// it.
inline void apply_message(membership& run, std::uint16_t id, const rendezvous_session& s,
                          const wire::swarm_message& message, time_point now)
{
    if (const auto* announced = std::get_if<wire::announce>(&message))
        run.announce(id, announced->at, now, s.remote());
    else if (const auto* fetching = std::get_if<wire::state_fetching>(&message))
        run.report_state_fetching(id, *fetching, now);
    else if (const auto* held = std::get_if<wire::state_held>(&message))
        run.report_state_held(id, *held, now);
    else if (const auto* ready = std::get_if<wire::round_ready>(&message))
        run.report_round_ready(id, *ready, now);
    else if (const auto* report = std::get_if<wire::round_report>(&message))
        run.report_round(id, *report, now);
    else if (std::holds_alternative<wire::leave>(message))
        run.report_leaving(id, now);
    else
        throw std::system_error(errc::bad_message, "members do not send messages of kind " +
                                                       std::to_string(message.index() + 1));
}

}  // namespace papilio::detail
