#pragma once

#include "averaging.hpp"
#include "member_network.hpp"
#include "state.hpp"

#include <papilio/base/log.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace papilio::example {

/// What a member of a run does between its rounds, such as training, and what it keeps. All calls
/// come from the thread that runs the `run_member`.
class run_work {
public:
    virtual ~run_work() = default;

    /// The state that was agreed on last, and its digest.
    virtual const shared_state& state() const = 0;
    virtual const std::string& digest() const = 0;

    /// Continues from this state, whose round is over.
    virtual void adopt(shared_state next, std::string digest) = 0;

    /// Works for a moment; a round is due after some of these steps.
    virtual void step() = 0;
    virtual std::uint64_t steps_in_round() const = 0;
    virtual std::uint64_t steps_until_round() const = 0;
    virtual double seconds_per_step() const = 0;

    /// What this member contributes to the round that is due, valid until `adopt`.
    virtual std::span<const float> update() = 0;

    /// Errors of lossy codecs in earlier updates, which later ones correct.
    virtual update_residuals& residuals() = 0;

    /// What the rendezvous is told before the round.
    virtual wire::round_ready readiness() const = 0;

    /// An attempt at the round has ended here; where it was ok, `mean` is its result. Whether the
    /// run adopts that is not known yet.
    virtual void saw_attempt(const wire::group&, const average_result&, std::span<const float>) {}

    /// The state is that after a round in which this member took part, or was fetched.
    virtual void record_round(const average_result* how, std::size_t contributors) = 0;
    virtual void record_fetch() = 0;

    /// Begins to save what is to be kept, where that is due: true. Where this is the last time,
    /// saves it before it returns. False: it could not.
    virtual bool save(bool last) = 0;

    /// Tells the user something, and why no steps are taken.
    virtual void print(log_level level, const std::string& line) = 0;
    virtual void print_waiting(const std::string& line) = 0;
};

}  // namespace papilio::example
