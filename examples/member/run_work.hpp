#pragma once

#include "averaging.hpp"
#include "state.hpp"

#include <papilio/diloco/outer_optimizer.hpp>
#include <papilio/session/round_work.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace papilio::example {

/// What a member of a run does between its rounds, such as training, and what it keeps. A round
/// leads to the next state by a step of the outer optimiser. All calls come from the thread that
/// runs the `run_member`.
class run_work : public round_work {
public:
    /// How updates travel, and the outer optimiser: as all members have them.
    void use(round_codec codec, outer_options outer)
    {
        codec_ = codec;
        outer_ = outer;
    }

    /// Works for a moment; a round is due after some of these steps.
    virtual void step() = 0;
    virtual std::uint64_t steps_in_round() const = 0;
    virtual std::uint64_t steps_until_round() const = 0;
    virtual double seconds_per_step() const = 0;

    /// What this member contributes to the round that is due, valid until `adopt`.
    virtual std::span<const float> update() = 0;

    /// Errors of lossy codecs in earlier updates, which later ones correct.
    virtual update_residuals& residuals() = 0;

    /// Begins to save what is to be kept, where that is due: true. Where this is the last time,
    /// saves it before it returns. False: it could not.
    virtual bool save(bool last) = 0;

    // How the state is made.
    std::string digest_of(const state_snapshot& s) const final { return example::digest(s); }
    std::shared_ptr<state_snapshot> next_state(const state_snapshot& from) final
    {
        return example::next_state(from);
    }
    std::span<float> place_for_mean(state_snapshot& next) final { return next.spans[0]; }
    void advance(const state_snapshot& from, state_snapshot& next) final
    {
        example::advance(from, next, outer_);
    }
    task<report> average(any_transport net, std::span<float> mean, call_options o) final
    {
        return example::average(net, contributed_, mean, codec_, residuals(), o);
    }
    void begin_attempt() final { residuals().rollback(); }
    void settle() final { residuals().commit(); }
    void save_for_later() final { save(true); }

    /// Before a round: its attempts average this.
    void contribute(std::span<const float> what) { contributed_ = what; }

private:
    round_codec codec_{};
    outer_options outer_;
    std::span<const float> contributed_;
};

}  // namespace papilio::example
