#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/swarm/member_view.hpp>
#include <papilio/swarm/own_time.hpp>
#include <papilio/transport/channel.hpp>
#include <papilio/wire/swarm.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
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

// g++ 12.2 destroys a temporary aggregate in an awaited call twice.
static_assert(!std::is_aggregate_v<wire::join> && !std::is_aggregate_v<wire::endpoint> &&
              !std::is_aggregate_v<wire::state_held> && !std::is_aggregate_v<wire::round_ready> &&
              !std::is_aggregate_v<wire::round_report>);

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/swarm/impl/rendezvous_client.hpp>
#endif
