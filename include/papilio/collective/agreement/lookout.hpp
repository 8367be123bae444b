#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/data_partner.hpp>
#include <papilio/collective/agreement/ledger.hpp>
#include <papilio/collective/agreement/pace.hpp>
#include <papilio/collective/agreement/stragglers.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Says who is overdue, and when to look again. Pure: it is told what time it is.
///
/// A peer is overdue that owes a message and has been *silent*, or has sent no message of the call
/// for longer than the deadline of that debt: docs/design/views.md. It is named at the second look
/// in a row that finds it so, since what it has sent may lie unread behind the timer at the first.
class lookout {
public:
    /// A partner of this peer, who votes; whose contributions are not known is never behind.
    using partner = data_partner;

    /// What is known of a call beside its ledger.
    struct facts {
        time_point begin{};  ///< of the call
        duration limit{};
        int stages = 1;
        bool later = false;             ///< the view is not the first
        bool weighs = false;            ///< looks are told of stragglers
        bool hears_votes_last = false;  ///< a client, whose votes wait for other clients'
        std::optional<duration> heartbeat{};
    };

    lookout(const facts& call, time_point now)
        : call_(call), running_since_(now), next_(later(now, period(std::nullopt)))
    {
        if (call_.weighs) next_ = later(now, period_of_weighing(now));
    }

    void watch(partner p) { partners_.push_back(p); }

    /// Those who are overdue now and were not named before. `last_heard(peer)` is when the last
    /// byte came from a peer, `voting` whether this peer's own data is complete. If there are
    /// `stragglers`, those of them are overdue that are not worth their time, once that is known,
    /// and nobody is for its deadline.
    template <class LastHeard>
    rank_set look(time_point now, ledger& book, duration round_trip, bool voting,
                  const LastHeard& last_heard, stragglers* slow = nullptr)
    {
        const auto planned = next_;
        book.look(now);
        if (call_.stages > 1 && all_contribute(book)) book.all_have_begun();
        auto deadline = book.pace().deadline(round_trip);
        if (call_.later)
            deadline = std::min(deadline.value_or(duration::max()),
                                std::max(call_.limit / 16, 2 * round_trip));
        if (book.waits_for_all()) deadline.reset();
        if (!voting) voting_since_ = time_point::max();
        if (voting && voting_since_ == time_point::max()) voting_since_ = now;
        if (now > later(planned, slack_)) start_anew(now);
        std::optional<rank_set> costly;
        if (slow) costly = looked_at(*slow, planned, now, book, round_trip);

        next_ = later(now, slow ? period_of_weighing(now) : period(deadline));
        rank_set late, waiting;
        for (const auto& p : partners_) {
            if (named_.contains(p.rank)) continue;
            auto due = time_point::max(), waits = time_point::max();
            if (book.owes(p.rank)) due = silent_at(last_heard(p.rank));
            if (!costly) due = std::min(due, contribution_due_at(p, book, deadline));
            if (book.owes(p.rank) && !costly) waits = result_or_vote_due_at(p, book, deadline);
            if (costly && costly->contains(p.rank)) due = now;
            if (due <= now) late.insert(p.rank);
            if (due > now && waits <= now) waiting.insert(p.rank);
            for (const auto t : {due, waits})
                if (t > now) next_ = std::min(next_, t);
        }
        if (slow && costly && costly->empty())
            waiting = slow->who_owes_votes(now, book, round_trip, voting_since_);
        return twice(late, waiting, now);
    }

    /// The view is to be left without a word against anybody: results or votes are overdue, and
    /// their senders may wait for a third peer; most of them for the same, or, in several stages,
    /// any for one whom this peer does not meet. Whoever is missing does not promise the next view.
    bool leaves() const noexcept { return leaves_; }

    time_point next() const noexcept { return next_; }

private:
    static constexpr duration least_wait = std::chrono::milliseconds(10);
    static constexpr duration breath = std::chrono::milliseconds(50);

    /// Between two looks: an eighth of a deadline is little beside it.
    duration period(std::optional<duration> deadline)
    {
        const auto missed = deadline.value_or(std::min(pace::least, call_.limit / 4));
        const auto most = std::max(call_.heartbeat.value_or(std::chrono::seconds(1)), least_wait);
        const auto chosen = std::clamp<duration>(missed / 8, least_wait, most);
        slack_ = std::max(chosen / 2, least_wait);
        return chosen;
    }

    /// The shares of a call that a slow peer costs show in time only if looks are close.
    duration period_of_weighing(time_point now)
    {
        slack_ = breath;
        return std::clamp<duration>((now - call_.begin) / 16, least_wait, 2 * breath);
    }

    std::optional<rank_set> looked_at(stragglers& slow, time_point planned, time_point now,
                                      const ledger& book, duration round_trip) const
    {
        if (running_since_ == now) slow.pause(now - planned, now);
        slow.look(now, book);
        return slow.not_worth_waiting_for(now, book, round_trip, voting_since_);
    }

    /// Those who were late at the last look as well.
    rank_set twice(const rank_set& late, const rank_set& waiting, time_point now)
    {
        const bool most = 2 * waiting.size() > static_cast<int>(partners_.size());
        const bool unknown = most || (call_.stages > 1 && !waiting.empty());
        const bool others_wait = late.empty() && unknown && !call_.later;
        const auto suspected = others_wait ? rank_set{} : late | waiting;
        const auto found = suspected & suspects_;
        named_ |= found;
        suspects_ = suspected - found;
        leaves_ = others_wait && others_waited_;
        others_waited_ = others_wait;
        const bool again = !suspects_.empty() || (others_wait && !leaves_);
        next_ = again ? later(now, breath) : std::max(next_, later(now, least_wait));
        return found;
    }

    /// This process, or its loop, stood still itself, and what came meanwhile may not be read yet.
    void start_anew(time_point now)
    {
        running_since_ = now;
        suspects_ = {};
        others_waited_ = false;
    }

    /// When a peer has been silent for too long. One that has not been heard at all since the call
    /// began may compute on its loop's thread and be late: it is waited for longer.
    time_point silent_at(time_point heard) const
    {
        if (!call_.heartbeat) return time_point::max();
        const auto missed = *call_.heartbeat * 5 / 2;
        const bool ran = heard > call_.begin;
        return later(std::max(heard, running_since_),
                     ran ? missed : std::max(missed, call_.limit / 8));
    }

    time_point due(const partner& p, const ledger& book, message_kind kind, duration patience) const
    {
        if (!book.has_shown_its_pace(p.rank, kind)) return time_point::max();
        return later(std::max(book.owed_since(p.rank, kind), running_since_), patience);
    }

    /// When a contribution is overdue that a peer owes, or for which those of others wait, whatever
    /// else it sends.
    time_point contribution_due_at(const partner& p, const ledger& book,
                                   std::optional<duration> deadline) const
    {
        if (!deadline) return time_point::max();
        const auto patience = (p.stage + 1) * *deadline;
        auto at = due(p, book, message_kind::contribution, patience);
        const bool waits_for_me = book.unanswered(p.rank) > 0;
        if (is_behind(p, book) && !waits_for_me &&
            book.has_shown_its_pace(p.rank, message_kind::contribution))
            at = std::min(at,
                          later(std::max(last_contribution(book), running_since_), 2 * patience));
        return at;
    }

    /// When what a peer owes is overdue that may wait for a third one: nothing is while it is known
    /// for whom.
    time_point result_or_vote_due_at(const partner& p, const ledger& book,
                                     std::optional<duration> deadline) const
    {
        if (!deadline || !named_.empty()) return time_point::max();
        for (const auto& other : partners_)
            if (other.rank != p.rank && is_behind(other, book)) return time_point::max();
        const int all = call_.stages;
        const auto result = due(p, book, message_kind::result, (2 * all - p.stage) * *deadline);
        const int order = 2 * all + 1 + p.stage + (call_.hears_votes_last ? 1 : 0);
        const auto vote =
            due(p, book, message_kind::vote, std::max(order * *deadline, tail(p, book)));
        return std::min(result, std::max(vote, later(voting_since_, order * *deadline)));
    }

    /// Whether contributions of at least half of the others wait for its, or are all here.
    bool is_behind(const partner& p, const ledger& book) const
    {
        const auto came = [&](const partner& o) {
            return book.came(o.rank, message_kind::contribution);
        };
        if (came(p) >= p.contributions || book.waiting(p.rank) > 0) return false;
        return has_others(partners_, p) && half_of_others(partners_, p, [&](const partner& o) {
                   return came(o) >= o.contributions || book.waiting(o.rank) > 0;
               });
    }

    /// Whether everybody has begun the call: what a partner of a later stage contributes is its
    /// whole block's.
    bool all_contribute(const ledger& book) const
    {
        return std::ranges::all_of(partners_, [&](const partner& p) {
            return p.contributions > 0 && book.came(p.rank, message_kind::contribution) > 0;
        });
    }

    /// Of anybody.
    time_point last_contribution(const ledger& book) const
    {
        auto last = time_point::min();
        for (const auto& p : partners_) last = std::max(last, book.last_contribution(p.rank));
        return last;
    }

    /// How long a peer whose data has all come may still be receiving from others, over a link that
    /// has become slow: nothing of that is seen here. So much is under way at the end, in a small
    /// call all there is, that it may take longer than everything before.
    duration tail(const partner& p, const ledger& book) const
    {
        const auto taken = book.last_message(p.rank) - call_.begin;
        return std::min(3 * taken, call_.limit / 3);
    }

    facts call_;
    std::vector<partner> partners_;
    time_point running_since_;  // without a pause, as far as is known
    time_point voting_since_ = time_point::max();
    duration slack_{};
    time_point next_;
    rank_set suspects_;           // at the last look
    bool others_waited_ = false;  // at the last look
    bool leaves_ = false;
    rank_set named_;
};

}  // namespace papilio::detail
