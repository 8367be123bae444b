#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/coordination.hpp>
#include <papilio/collective/agreement/voter.hpp>
#include <papilio/wire/vote.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

// Complaints

PAPILIO_DECL void voter::complain(int peer, time_point now)
{
    if (ended_ || !call_.who.meet(me_, peer) || withdrawn_.contains(peer)) return;
    if (!complaints_.insert(peer)) return;
    if (promised_ > view())
        promise_again(now);
    else if (members().contains(peer) && !listens_)
        leave_view(view() + 1, now);
}

PAPILIO_DECL void voter::lose(int peer, time_point now)
{
    closed_.insert(peer);
    complain(peer, now);
    leave_if_hopeless();
}

/// Nobody is left who could be the members of a view with this peer.
PAPILIO_DECL void voter::leave_if_hopeless()
{
    if (ended_ || call_.who.may_be_members(call_.who.all() - withdrawn_ - closed_)) return;
    run_out(make_error_code(errc::peer_failed));
}

PAPILIO_DECL void voter::withdraw(std::error_code why, int culprit)
{
    if (!ended_) fail(why, culprit);
}

// Promises

/// Promises a view that is not below `at_least`, and sends it to all.
PAPILIO_DECL void voter::leave_view(int at_least, time_point now)
{
    int next = std::max(promised_ + 1, at_least);
    while (next <= wire::max_view && cannot_coordinate(next)) ++next;
    if (next > wire::max_view || times_.too_late(now) || call_.who.need_all())
        return run_out(make_error_code(errc::peer_failed));
    promised_ = static_cast<std::uint8_t>(next);
    repeats_ = 0;
    listens_ = false;
    times_.begin(now, promised_ - view() - 1);
    send_promise();
    propose_if_due(now);
}

/// What the promise said has changed. Whose coordinator is lost waits for no proposal.
PAPILIO_DECL void voter::promise_again(time_point now)
{
    if (cannot_coordinate(promised_)) return leave_view(promised_ + 1, now);
    ++repeats_;
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
    parcels_.push_back({partners(), std::move(said), repeats_});
}

PAPILIO_DECL void voter::take(int from, const wire::promise& said, time_point now)
{
    promised_by_anybody_ = true;
    if (ended_) return parcels_.push_back({rank_set{from}, answer()});
    if (said.call != digest_) return complain(from, now);
    auto& before = promises_[index(from)];
    const bool news = !before || said.view > before->view ||
                      (said.view == before->view && said.complaints.includes(before->complaints));
    if (news) before = said;
    if (!members().contains(from)) {
        if (coordinates(view())) parcels_.push_back({rank_set{from}, settlement()});
    } else if (said.view > promised_) {
        return leave_view(said.view, now);
    }
    propose_if_due(now);
}

// Proposals

PAPILIO_DECL void voter::propose_if_due(time_point now)
{
    if (promised_ <= view() || proposed_ >= promised_ || !coordinates(promised_)) return;
    promises_by_rank said(promises_.size());
    for (std::size_t peer = 0; peer < promises_.size(); ++peer)
        if (const auto& p = promises_[peer]; p && p->view == promised_) said[peer] = &*p;
    if (const int liar = two_weights(said); liar >= 0)
        return fail(make_error_code(errc::mismatch), liar);
    auto made = proposal_of(call_, promised_, said, withdrawn_, times_.asked());
    if (!made) return;
    made->call = digest_;
    proposed_ = promised_;
    parcels_.push_back({partners(), *made});
    pending_ = std::move(made);
    join_if_due(now);
}

PAPILIO_DECL void voter::take(int from, const wire::proposal& said, time_point now)
{
    if (ended_) return parcels_.push_back({rank_set{from}, answer()});
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
    const bool mine = complaints_.includes(said.complaints[index(me_)]) &&
                      (said.view == promised_ || !said.members.contains(me_));
    if (!mine) {
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
    listens_ = !members().contains(me_);
    if (listens_ && chunks_.missing() > 0) return run_out(make_error_code(errc::left_out));
    if (!listens_ && (withdrawn_ | complaints_).intersects(members()))
        return leave_view(view() + 1, now);
    vote_if_due();
    succeed_if_due();
}

/// What differs from a vote shows that the view voted for was not decided, and never will be. What
/// does not, leaves parts that nobody but this peer needs as it has voted for them.
PAPILIO_DECL void voter::add_view(const wire::proposal& settled)
{
    views_.add(call_, settled);
    if (voted_ && !views_.repeats(*voted_)) voted_.reset();
    if (voted_) views_.complete_by(*voted_);
    chunks_.want(views_.last().versions);
}

// Votes

PAPILIO_DECL void voter::hold(std::size_t part, std::uint32_t column, std::uint8_t version)
{
    chunks_.hold(part, column, version);
    if (chunks_.missing() > 0 || ended_) return;
    vote_if_due();
    if (!ended_) succeed_if_due();
}

/// Reducers vote after the members that are clients, and speak for them to other clients.
PAPILIO_DECL void voter::vote_if_due()
{
    const auto& now = views_.last();
    if (promised_ != view() || listens_ || voted_ == view() || chunks_.missing() > 0) return;
    const auto clients = members() - call_.who.reducers();
    const bool relays = call_.who.relayed() && call_.who.reducers().contains(me_);
    if (relays && !views_.decided(now, [&](int member) { return clients.contains(member); }))
        return;
    voted_ = view();
    const view_vote yes{view(), now.digest};
    views_.note(me_, yes);
    parcels_.push_back({partners(), yes});
    succeed_if_due();
}

PAPILIO_DECL void voter::take(int from, const view_vote& said, time_point)
{
    if (ended_) return;
    views_.note(from, said);
    vote_if_due();
    if (!ended_) succeed_if_due();
}

/// In any view that this peer has joined, whatever it has promised since: decided is decided.
PAPILIO_DECL void voter::succeed_if_due()
{
    for (const auto& view : views_.all()) {
        const auto asked = [&](int member) { return member == me_ || call_.who.meet(me_, member); };
        if (views_.decided(view, asked) && chunks_.missing_of(view.versions) == 0)
            return succeed(view);
    }
}

// The end

PAPILIO_DECL void voter::take(int from, const wire::answer& said, time_point now)
{
    if (ended_) return;
    if (said.what == wire::ending::gone) {
        if (!withdrawn_.insert(from)) return;
        leave_if_hopeless();
        if (ended_) return;
        join_if_due(now);
        if (promised_ > view())
            promise_again(now);
        else if (members().contains(from) && !listens_)
            leave_view(view() + 1, now);
        return;
    }
    if (said.decided && said.view > view()) add_view(*said.decided);
    const auto known =
        std::ranges::find(views_.all(), said.view, [](const auto& v) { return v.settled.view; });
    if (known != views_.all().end() && known->digest == said.settlement &&
        chunks_.missing_of(known->versions) == 0)
        return succeed(*known);
    run_out(make_error_code(errc::left_out));
}

PAPILIO_DECL void voter::succeed(const joined_view& decided)
{
    ended_ = {.view = decided.settled.view};
    if (promised_by_anybody_ || promised_ > 0) parcels_.push_back({partners(), answer()});
}

/// Time, views or peers have run out.
PAPILIO_DECL void voter::run_out(std::error_code why)
{
    const int culprit = complaints_.empty() ? -1 : *complaints_.begin();
    if (!voted_) return fail(why, culprit);
    ended_ = {make_error_code(errc::outcome_unknown), culprit};
}

PAPILIO_DECL void voter::fail(std::error_code why, int culprit)
{
    ended_ = {why, culprit};
    parcels_.push_back({partners(), answer()});
}

PAPILIO_DECL wire::answer voter::answer() const
{
    if (ended_->why) return {.why = wire::reason_of(ended_->why), .culprit = ended_->culprit};
    const auto& decided = views_.of(ended_->view);
    wire::answer said{
        .what = wire::ending::done, .view = ended_->view, .settlement = decided.digest};
    if (said.view > 0) said.decided = decided.settled;
    return said;
}

// Time

PAPILIO_DECL time_point voter::next_wake() const
{
    return ended_ ? time_point::max() : times_.next();
}

PAPILIO_DECL void voter::wake(time_point now)
{
    if (ended_) return;
    if (now >= times_.end()) return run_out(make_error_code(errc::timed_out));
    if (promised_ == view()) return;
    if (times_.asks(now)) {
        const auto before = complaints_;
        for (const int peer : partners()) {
            const auto& said = promises_[index(peer)];
            if (!said || said->view != promised_) complaints_.insert(peer);
        }
        if (complaints_ != before)
            promise_again(now);
        else
            propose_if_due(now);
    }
    if (!ended_ && promised_ > view() && times_.over(now)) leave_view(promised_ + 1, now);
}

/// Whom this peer meets, but for those that have withdrawn.
PAPILIO_DECL rank_set voter::partners() const
{
    rank_set met;
    for (const int peer : call_.who.all() - withdrawn_)
        if (call_.who.meet(me_, peer)) met.insert(peer);
    return met;
}

}  // namespace papilio::detail
