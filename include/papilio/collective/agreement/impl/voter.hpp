#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/coordination.hpp>
#include <papilio/collective/agreement/voter.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

// Complaints

PAPILIO_DECL void voter::complain(int peer, time_point now)
{
    if (ended_ || !call_.who.meet(me_, peer) || withdrawn_.contains(peer)) return;
    late_.erase(peer);
    if (complaints_.insert(peer)) miss(peer, now);
}

PAPILIO_DECL void voter::miss_promise(int peer, time_point now)
{
    if (ended_ || !call_.who.meet(me_, peer) || withdrawn_.contains(peer)) return;
    unheard_.insert(peer);
    if (!complaints_.insert(peer)) return;
    late_.insert(peer);
    miss(peer, now);
}

/// Whoever is a member of the view has promised it: that its promise has not come here in time says
/// nothing against it.
PAPILIO_DECL void voter::forgive_members()
{
    complaints_ -= late_ & members();
    late_ -= members();
}

/// A peer is complained about, or has withdrawn. A proposal may have waited for that.
PAPILIO_DECL void voter::miss(int peer, time_point now)
{
    const auto before = view();
    join_if_due(now);
    if (ended_ || view() != before) return;
    if (promised_ > view())
        promise_again(now);
    else if (members().contains(peer) && !listens_)
        leave_view(now);
}

PAPILIO_DECL void voter::lose(int peer, time_point now)
{
    closed_.insert(peer);
    unheard_.insert(peer);
    promises_[index(peer)].reset();
    complain(peer, now);
    leave_if_hopeless();
}

/// Nobody is left who could be the members of a view with this peer.
PAPILIO_DECL void voter::leave_if_hopeless()
{
    if (ended_ || call_.who.may_be_members(call_.who.all() - withdrawn_ - closed_)) return;
    run_out(make_error_code(errc::peer_failed));
}

// Promises

/// Leaves for the next view whose coordinator this peer can work with.
PAPILIO_DECL void voter::leave_view(time_point now)
{
    int next = promised_ + 1;
    while (next <= wire::max_view && (cannot_coordinate(next) || waits_in_vain(next))) ++next;
    promise_view(next, now);
}

/// Whether this peer would coordinate a view, and misses somebody there whom the others do not, as
/// far as it has been told.
PAPILIO_DECL bool voter::waits_in_vain(int which) const
{
    if (!coordinates(static_cast<std::uint8_t>(which))) return false;
    std::vector<rank_set> all(promises_.size());
    for (const int peer : call_.who.all())
        if (const auto& said = promises_[index(peer)]) all[index(peer)] = said->complaints;
    all[index(me_)] = complaints_;
    return !given_up(call_.who, all, withdrawn_).includes((complaints_ & unheard_) - withdrawn_);
}

/// Promises a view, and sends it to all.
PAPILIO_DECL void voter::promise_view(int next, time_point now)
{
    if (next > wire::max_view || times_.too_late(now) || call_.who.need_all())
        return run_out(make_error_code(errc::peer_failed));
    if (promised_ == view()) left_ = now;
    promised_ = static_cast<std::uint8_t>(next);
    listens_ = false;
    in_vain_ = waits_in_vain(next);
    times_.begin(now, promised_ - view() - 1);
    send_promise();
    propose_if_due(now);
}

/// What the promise said has changed. If the coordinator is lost, no proposal is waited for.
PAPILIO_DECL void voter::promise_again(time_point now)
{
    if (cannot_coordinate(promised_)) return leave_view(now);
    times_.complained(now);
    send_promise();
    propose_if_due(now);
}

PAPILIO_DECL void voter::send_promise()
{
    wire::promise said{.view = promised_,
                       .joined = view(),
                       .voted = voted_.value_or(wire::no_view),
                       .call = digest_,
                       .complaints = complaints_,
                       .weights = weights_,
                       .held = chunks_.versions().runs()};
    for (std::uint8_t v = 0; v <= view(); ++v)
        if (const auto* from = views_.contributors(v)) said.versions.push_back({v, *from});
    promises_[index(me_)] = said;
    parcels_.push_back({.to = partners(), .promise = std::move(said)});
}

/// Whoever has missed the promise of the same peer for a while says so at once: it would a moment
/// later, and whoever came first would be alone.
PAPILIO_DECL void voter::join_complaints(int from, const rank_set& others, time_point now)
{
    if (promised_ == view() || !times_.late(left_, now)) return;
    for (const int peer : others - complaints_ - excused_) {
        const auto& said = promises_[index(peer)];
        if (peer == from || (said && said->view > view())) continue;
        miss_promise(peer, now);
    }
}

PAPILIO_DECL void voter::take(int from, const wire::promise& said, time_point now)
{
    if (!call_.who.meet(me_, from)) return;
    promised_by_anybody_ = true;
    if (ended_) return parcels_.push_back({.to = {from}, .answer = answer()});
    if (said.call != digest_ || said.complaints.contains(from)) return complain(from, now);
    join_complaints(from, said.complaints, now);
    if (ended_) return;
    auto& before = promises_[index(from)];
    const bool news = !before || said.view > before->view ||
                      (said.view == before->view && said.complaints != before->complaints &&
                       said.complaints.includes(before->complaints));
    if (news && said.view == promised_ && promised_ > view() && !said.complaints.empty())
        times_.complained(now);
    if (news) before = said;
    unheard_.erase(from);
    if (!members().contains(from)) {
        if (news && coordinates(view()))
            parcels_.push_back({.to = {from}, .proposal = settlement()});
    } else if (said.view > promised_) {
        // The very view, whoever coordinates it: two that skip each other's would never meet.
        return promise_view(said.view, now);
    }
    propose_if_due(now);
}

}  // namespace papilio::detail
