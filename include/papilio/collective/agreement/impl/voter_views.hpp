#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/coordination.hpp>
#include <papilio/collective/agreement/voter.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

// Proposals

PAPILIO_DECL void voter::propose_if_due(time_point now)
{
    if (promised_ <= view() || proposed_ >= promised_ || !coordinates(promised_)) return;
    promises_by_rank said(promises_.size());
    for (const int peer : call_.who.all() - withdrawn_)
        if (const auto& p = promises_[index(peer)]; p && p->view == promised_)
            said[index(peer)] = &*p;
    if (const int peer = two_weights(said); peer >= 0)
        return fail(make_error_code(errc::mismatch), peer);
    auto made = proposal_of(call_, promised_, said, withdrawn_, times_.struck());
    if (!made) return;
    made->call = digest_;
    proposed_ = promised_;
    parcels_.push_back({.to = partners(), .proposal = *made});
    pending_ = std::move(made);
    join_if_due(now);
}

PAPILIO_DECL void voter::take(int from, const wire::proposal& said, time_point now)
{
    if (!call_.who.meet(me_, from)) return;
    if (ended_) return parcels_.push_back({.to = {from}, .answer = answer()});
    if (said.call != digest_ || from != call_.who.coordinator(said.view))
        return complain(from, now);
    if (said.view <= view() || said.view < promised_) return;
    pending_ = said;
    join_if_due(now);
}

PAPILIO_DECL void voter::join_if_due(time_point now)
{
    if (!pending_) return;
    const auto& said = *pending_;
    if (said.view <= view() || said.view < promised_) return pending_.reset();
    const bool as_promised = complaints_.includes(said.complaints[index(me_)]) &&
                             (said.view == promised_ || !said.members.contains(me_)) &&
                             chunks_.suits(said);
    if (!as_promised) {
        const int coordinator = call_.who.coordinator(said.view);
        pending_.reset();
        return complain(coordinator, now);
    }
    if (follows_from_complaints(said, call_.who, withdrawn_, complaints_)) join(now);
}

PAPILIO_DECL void voter::join(time_point now)
{
    add_view(*std::exchange(pending_, std::nullopt));
    const auto& joined = views_.last();
    promised_ = view();
    times_.joined();
    for (std::size_t peer = 0; peer < weights_.size(); ++peer)
        if (const double told = joined.settled.weights[peer]; told != wire::unknown_weight)
            weights_[peer] = told;
    forgive_members();
    listens_ = !members().contains(me_);
    if (listens_ && chunks_.missing() > 0) return run_out(make_error_code(errc::left_out));
    if (!listens_ && (withdrawn_ | complaints_).intersects(members())) return leave_view(now);
    vote_if_due();
    succeed_if_due();
}

PAPILIO_DECL void voter::add_view(const wire::proposal& settled)
{
    views_.add(beside_vote({call_, settled}));
    chunks_.want(views_.last().versions);
}

/// What differs from a vote shows that the view voted for was not decided, and never will be. What
/// does not, leaves parts that nobody but this peer needs as it has voted for them; but where all
/// need all, a part that one has and the other leaves out is a difference.
PAPILIO_DECL joined_view voter::beside_vote(joined_view next)
{
    if (!voted_) return next;
    const auto& before = views_.of(*voted_).versions;
    const bool same = call_.gathers ? next.versions == before : next.versions.agrees_with(before);
    if (!same) {
        voted_.reset();
        voted_before_.reset();
    } else {
        next.versions.complete_by(before);
    }
    return next;
}

}  // namespace papilio::detail
