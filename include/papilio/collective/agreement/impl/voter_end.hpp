#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/voter.hpp>
#include <papilio/wire/vote.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::detail {

// Votes

PAPILIO_DECL void voter::hold(std::size_t part, std::uint32_t column, std::uint8_t version)
{
    chunks_.hold(part, column, version);
    if (chunks_.missing() > 0 || ended_) return;
    vote_if_due();
    succeed_if_due();
}

/// Reducers vote after the members that are clients, and speak for them to other clients.
PAPILIO_DECL void voter::vote_if_due()
{
    const auto& current = views_.last();
    if (!moves() || voted_ == view() || chunks_.missing() > 0) return;
    const auto clients = members() - call_.who.reducers();
    const bool relays = call_.who.relayed() && call_.who.reducers().contains(me_);
    if (relays && !views_.decided(current, [&](int member) { return clients.contains(member); }))
        return;
    const wire::view_vote yes{view(), digest_, current.digest, digest_of(current)};
    if (relays) {
        auto results = views_.results(current);
        results.note(me_, 1, yes.result);
        if (results.disagree()) return refuse(current, results.odd_one());
    }
    voted_before_ = voted_;
    voted_ = view();
    views_.note(me_, yes);
    parcels_.push_back({.to = partners(), .vote = yes});
}

PAPILIO_DECL void voter::take(int from, const wire::view_vote& said, time_point now)
{
    if (ended_ || !call_.who.meet(me_, from)) return;
    if (said.call != digest_) return complain(from, now);
    views_.note(from, said);
    vote_if_due();
    succeed_if_due();
}

/// In any view that this peer has joined, whatever it has promised since: decided is decided.
PAPILIO_DECL void voter::succeed_if_due()
{
    if (ended_) return;
    for (const auto& view : views_.all()) {
        const auto asked = [&](int member) { return member == me_ || call_.who.meet(me_, member); };
        if (views_.decided(view, asked) && chunks_.missing_of(view.versions) == 0)
            return conclude(view);
    }
}

/// Whether this peer is to hold the whole result, and so what others hold.
PAPILIO_DECL bool voter::has_all() const
{
    return std::ranges::all_of(
        call_.needed_by, [&](const rank_set& who) { return who.empty() || who.contains(me_); });
}

/// All have voted who are asked for. They hold the same, or nobody has succeeded in this view: of
/// two different votes everybody hears both who could.
PAPILIO_DECL void voter::conclude(const joined_view& view)
{
    auto results = views_.results(view);
    if (!view.settled.members.contains(me_)) results.note(me_, 1, digest_of(view));
    if (results.disagree()) return refuse(view, results.odd_one());
    succeed(view, results.common());
}

/// This peer's own vote in a view is void, and its error definite if no other one counts.
PAPILIO_DECL void voter::refuse(const joined_view& view, int odd_one)
{
    if (voted_ == view.settled.view) voted_ = voted_before_;
    fail(make_error_code(errc::corrupted), odd_one);
}

// The end

PAPILIO_DECL void voter::withdraw(std::error_code why, int culprit)
{
    if (!ended_) fail(why, culprit);
}

PAPILIO_DECL void voter::take(int from, const wire::answer& said, time_point now)
{
    if (ended_ || !call_.who.meet(me_, from)) return;
    if (said.what == wire::ending::done) return hear_done(from, said, now);
    if (!withdrawn_.insert(from)) return;
    if (!reason_ && said.why != errc::left_out && said.why != errc::outcome_unknown)
        reason_ = {make_error_code(said.why), said.culprit};
    leave_if_hopeless();
    if (!ended_) miss(from, now);
}

/// A view is decided. Whoever holds what it has settled on has succeeded, member or not.
PAPILIO_DECL void voter::hear_done(int from, const wire::answer& said, time_point now)
{
    if (said.decided ? said.decided->call != digest_ : said.view != 0) return complain(from, now);
    const auto decided = said.decided ? beside_vote({call_, *said.decided}) : views_.of(0);
    if (decided.digest == said.settlement && chunks_.missing_of(decided.versions) == 0) {
        for (std::size_t peer = 0; peer < said.weights.size(); ++peer)
            if (weights_[peer] == wire::unknown_weight) weights_[peer] = said.weights[peer];
        const auto own = said.result != 0 ? digest_of(decided) : 0;
        if (own != 0 && own != said.result) return fail(make_error_code(errc::corrupted), me_);
        return succeed(decided, said.result);
    }
    if (said.decided && said.view > view()) add_view(*said.decided);
    run_out(make_error_code(errc::left_out));
}

PAPILIO_DECL void voter::succeed(const joined_view& decided, std::uint64_t result)
{
    decided_ = decided;
    result_ = result;
    ended_.emplace();
    if (promised_by_anybody_ || promised_ > 0)
        parcels_.push_back({.to = partners(), .answer = answer()});
}

/// Time, views or peers have run out, for the reason of whoever withdrew by its own fault.
PAPILIO_DECL void voter::run_out(std::error_code why)
{
    if (reason_) return fail(reason_->why, reason_->culprit);
    fail(why, complaints_.empty() ? -1 : *complaints_.begin());
}

/// While a vote counts, others may have succeeded by it, or will.
PAPILIO_DECL void voter::fail(std::error_code why, int culprit)
{
    ended_ = {voted_ ? make_error_code(errc::outcome_unknown) : why, culprit};
    parcels_.push_back({.to = partners(), .answer = answer()});
}

PAPILIO_DECL wire::answer voter::answer() const
{
    if (ended_->why) return {.why = wire::reason_of(ended_->why), .culprit = ended_->culprit};
    wire::answer said{.what = wire::ending::done,
                      .view = decided_->settled.view,
                      .settlement = decided_->digest,
                      .result = result_};
    if (said.view > 0)
        said.decided = decided_->settled;
    else
        said.weights = weights_;
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
    const auto waits = [this] { return !ended_ && promised_ > view(); };
    if (times_.joins(now))
        for (const int peer : partners())
            if (const auto& said = promises_[index(peer)]; said && said->view == promised_)
                join_complaints(peer, said->complaints, now);
    if (waits() && times_.asks(now)) complain_about_absent(now);
    if (waits() && times_.strikes(now)) {
        propose_if_due(now);
        const bool stuck = (times_.asked() || in_vain_) && waits_in_vain(promised_);
        if (waits() && stuck) return leave_view(now);
    }
    if (waits() && times_.over(now)) leave_view(now);
}

/// Whoever has not promised the view in time is complained about.
PAPILIO_DECL void voter::complain_about_absent(time_point now)
{
    const auto before = complaints_;
    for (const int peer : partners()) {
        const auto& said = promises_[index(peer)];
        if ((said && said->view == promised_) || excused_.contains(peer)) continue;
        if (complaints_.insert(peer)) late_.insert(peer);
        unheard_.insert(peer);
    }
    times_.complained(now);
    if (complaints_ != before) miss(me_, now);
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
