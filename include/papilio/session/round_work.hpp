#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/log.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/session/member_network.hpp>
#include <papilio/swarm/state_transfer.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace papilio::inline PAPILIO_MODE {

/// What goes against a member of a run.
enum class round_setback : std::uint8_t {
    run_lost,        ///< it tries to come back
    attempt_failed,  ///< at a round; there is another one
    members_lost,    ///< in the midst of a round that goes on
};

/// What an `elastic_member` asks of its owner: the state that the run has agreed on, how a round
/// leads to the next one, and what is to be told. All calls but `average` come from the thread that
/// calls the `elastic_member`.
class round_work {
public:
    virtual ~round_work() = default;

    /// The state that was agreed on last, and its digest.
    virtual const shared_state& state() const = 0;
    virtual const std::string& digest() const = 0;

    /// Continues from this state, whose round is over.
    virtual void adopt(shared_state next, std::string digest) = 0;

    /// The same for two members if their states have the same bits.
    virtual std::string digest_of(const state_snapshot& s) const = 0;

    /// Allocates the state after `from`, and says where the mean of a round goes: into the state,
    /// or beside it.
    virtual std::shared_ptr<state_snapshot> next_state(const state_snapshot& from) = 0;
    virtual std::span<float> place_for_mean(state_snapshot& next) = 0;

    /// Makes `next` of `from` and the mean, which is in its place: the same bits on all members.
    virtual void advance(const state_snapshot& from, state_snapshot& next) = 0;

    /// Averages this member's update into `mean`, on the loop. Attempts that failed before are
    /// void; the state of what succeeds is adopted, or another one.
    virtual task<report> average(any_transport net, std::span<float> mean, call_options o) = 0;
    virtual void begin_attempt() {}
    virtual void settle() {}

    /// What the rendezvous is told before the round.
    virtual wire::round_ready readiness() const = 0;

    /// An attempt at the round has ended here; where it was ok, `mean` is its result. Whether the
    /// run adopts that is not known yet.
    virtual void saw_attempt(const wire::group&, const average_result&, std::span<const float>) {}

    /// The state is that after a round in which this member took part, or was fetched. `how` is
    /// null where the run has told so later.
    virtual void record_round(const average_result* how, std::size_t contributors) = 0;
    virtual void record_fetch() = 0;

    /// It is in the run, under this id, as `line` tells people.
    virtual void saw_join(std::uint16_t /*id*/, const std::string& line)
    {
        print(log_level::info, line);
    }

    /// The run is lost: what is to be kept is saved before others are waited for.
    virtual void save_for_later() {}

    /// `line` tells people of it.
    virtual void saw(round_setback, const std::string& line) { print(log_level::warning, line); }

    /// Tells people something, and why no steps are taken.
    virtual void print(log_level level, const std::string& line) = 0;
    virtual void print_waiting(const std::string& line) = 0;
};

}  // namespace papilio
