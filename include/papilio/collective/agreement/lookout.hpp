#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/ledger.hpp>
#include <papilio/collective/agreement/pace.hpp>
#include <papilio/collective/agreement/stragglers.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <chrono>
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
    /// A partner of this peer, who votes, and the stage in which they meet.
    struct partner {
        int rank;
        int stage;
    };

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
        rank_set late;
        for (const auto& p : partners_) {
            if (named_.contains(p.rank)) continue;
            auto due = time_point::max();
            if (book.owes(p.rank)) due = silent_at(last_heard(p.rank));
            if (book.owes(p.rank) && !costly) due = std::min(due, due_at(p, book, deadline));
            if (costly && costly->contains(p.rank)) due = now;
            if (due <= now) late.insert(p.rank);
            if (due > now) next_ = std::min(next_, due);
        }
        const auto found = late & suspects_;
        named_ |= found;
        suspects_ = late - found;
        next_ = suspects_.empty() ? std::max(next_, later(now, least_wait)) : later(now, breath);
        return found;
    }

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

    /// This process, or its loop, stood still itself, and what came meanwhile may not be read yet.
    void start_anew(time_point now)
    {
        running_since_ = now;
        suspects_ = {};
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

    /// When the first debt of a peer is overdue, the causes before what waits for them.
    time_point due_at(const partner& p, const ledger& book, std::optional<duration> deadline) const
    {
        if (!deadline) return time_point::max();
        const auto after = [&](message_kind kind, duration patience) {
            if (!book.has_shown_its_pace(p.rank, kind)) return time_point::max();
            return later(std::max(book.owed_since(p.rank, kind), running_since_), patience);
        };
        const int all = call_.stages;
        const auto contribution = after(message_kind::contribution, (p.stage + 1) * *deadline);
        if (!named_.empty()) return contribution;  // the others may wait for whoever was named
        const auto result = after(message_kind::result, (2 * all - p.stage) * *deadline);
        const int order = 2 * all + 1 + p.stage + (call_.hears_votes_last ? 1 : 0);
        const auto vote = after(message_kind::vote, std::max(order * *deadline, tail(p, book)));
        return std::min(
            {contribution, result, std::max(vote, later(voting_since_, order * *deadline))});
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
    rank_set suspects_;  // at the last look
    rank_set named_;
};

}  // namespace papilio::detail
