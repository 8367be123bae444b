#pragma once

#include <papilio/async/event.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/ledger.hpp>
#include <papilio/collective/agreement/pace.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What the data of a peer counts.
class straggler_weights {
public:
    virtual ~straggler_weights() = default;
    virtual double weight_of(int peer) const = 0;
};

/// Which peers cost a call more time than they are worth. Pure: it is told what time it is, and
/// asks the ledger how many messages have come.
///
/// *With* a peer the call takes as long as the rest of its messages, at the pace of its latest; and
/// whoever has kept it waiting for the next one for a while is expected to do so for as long again.
/// *Without* it the call takes as long as the rest of everybody's, as fast as they came before. The
/// difference is what it saves to go on without the peer. Messages count, and no bytes: whoever
/// sends a byte now and then is as slow as it is.
///
/// A prediction goes beyond what was seen, so that it alone strikes nobody: the call must have lost
/// half as much already. When the messages of a peer are few because others have the link for a
/// while, the call as a whole is as fast as before.
///
/// The latest messages are as many as may come together, so that what comes in bunches is no
/// slower than what does not, and an eighth of that as well, so that a pause that is over is not
/// expected again.
///
/// A call in which everything was slow from the begin has no straggler. Whoever has not sent its
/// first message is none: what a late caller keeps back says nothing of how fast it will be. So
/// only what has come since the last one began tells how fast a call is.
class stragglers {
public:
    struct partner {
        int rank;
        int stage;  ///< in which this peer meets it

        // That it sends in the call.
        std::uint32_t contributions;
        std::uint32_t results;  ///< or credits

        std::uint32_t messages() const { return contributions + results; }
    };

    /// What is known of a call beside its ledger.
    struct facts {
        duration patience{};  ///< for a unit of weight
        int stages = 1;
        std::uint32_t bunch = 1;  ///< messages of a peer that may be under way at a time
        const straggler_weights* weights = nullptr;  ///< borrowed
    };

    explicit stragglers(facts call) : call_(std::move(call)) {}

    void watch(partner p) { partners_.push_back(p); }

    /// Notes how far the data is.
    void look(time_point now, const ledger& book)
    {
        sample s{.when = now, .all = 0, .came = {}};
        for (const auto& p : partners_)
            s.came.push_back(book.came(p.rank, message_kind::contribution) +
                             book.came(p.rank, message_kind::result));
        for (const auto n : s.came) s.all += n;
        const auto begun = std::ranges::count_if(s.came, [](auto n) { return n > 0; });
        if (begun != std::exchange(begun_, begun)) samples_.clear();
        if (begun == 0) return;
        if (samples_.size() == most_samples) thin_out();
        samples_.push_back(std::move(s));
    }

    /// This process stood still for so long, and nothing of that is another's fault.
    void pause(duration d, time_point now)
    {
        for (auto& s : samples_) s.when += d;
        resumed_ = now;
    }

    /// Those who keep the call waiting and cost more than they are worth; nothing while too little
    /// has come to tell. Causes come first: no contribution waits for that of the one which is
    /// behind, and results may wait for one. What this peer sends may be why more does not come,
    /// since it waits for the same link.
    /// `voting_since` is when this peer's own data was complete. Who finds most of the others slow
    /// is slow itself, and names nobody. They have to save a `share` of their worth.
    std::optional<rank_set> not_worth_waiting_for(time_point now, const ledger& book,
                                                  duration round_trip, time_point voting_since,
                                                  double share = 1) const
    {
        if (samples_.empty() || come() < 2 * pace::enough) return std::nullopt;
        rank_set found;
        for (std::size_t i = 0; i < partners_.size(); ++i)
            if (costs(i, message_kind::contribution, now, book, round_trip, share))
                found.insert(partners_[i].rank);
        if (found.empty())
            for (std::size_t i = 0; i < partners_.size(); ++i)
                if (costs(i, message_kind::result, now, book, round_trip, share))
                    found.insert(partners_[i].rank);
        if (found.empty() && voting_since <= now)
            for (const auto& p : partners_)
                if (owes_vote(p, now, book, round_trip, voting_since)) found.insert(p.rank);
        const bool most = 2 * static_cast<std::size_t>(found.size()) > partners_.size();
        return most && partners_.size() > 1 ? rank_set{} : found;
    }

    /// What it saves to go on without partner i, and how long the call takes then, in seconds.
    struct prediction {
        double saved = 0;
        double without = 0;
        double lost = 0;  ///< how late the call is by now, all peers together
    };
    prediction predict(std::size_t i, time_point now, const ledger& book,
                       duration round_trip) const;

private:
    static constexpr std::size_t most_samples = 256;

    struct sample {
        time_point when{};
        std::uint64_t all = 0;            // messages, of all partners
        std::vector<std::uint32_t> came;  // by partner
    };

    static double seconds(duration d) { return std::chrono::duration<double>(d).count(); }

    /// Since the last one began.
    std::uint64_t come() const { return samples_.back().all - samples_.front().all; }

    /// Leaves out every other one, but the first.
    void thin_out()
    {
        std::size_t kept = 1;
        for (std::size_t i = 2; i < samples_.size(); i += 2)
            samples_[kept++] = std::move(samples_[i]);
        samples_.resize(kept);
    }

    /// The first look that had seen the first of the latest messages of partner i, so many.
    const sample& since(std::size_t i, std::uint32_t messages) const
    {
        return *std::ranges::find_if(samples_, [&](const sample& s) {
            return s.came[i] + messages > samples_.back().came[i];
        });
    }

    /// Seconds for each of the latest messages of partner i, so many, until the last one came: less
    /// than it took, by the first, so that few messages are not taken for slow ones.
    double pace_of(std::size_t i, std::uint32_t messages, time_point last) const
    {
        return std::max(seconds(last - since(i, messages).when), 0.0) / messages;
    }

    /// What a peer must save to be lost: its worth, no less than what a process that waits for a
    /// processor, or a packet that is lost, may cost, and than a prediction may be wrong by.
    double price(const partner& p, double without, duration round_trip) const
    {
        constexpr double hiccup = 0.05;
        return std::max({seconds(call_.patience) * call_.weights->weight_of(p.rank), without / 8,
                         hiccup + 4 * seconds(round_trip)});
    }

    /// How long the pace of a call must have been seen before a peer is judged by it.
    double least_reference(const partner& p, duration round_trip) const
    {
        return std::min(price(p, 0, round_trip) / 2, 0.5);
    }

    /// Whether of at least half of the others all contributions have come, or half as many as they
    /// may have under way wait for a peer's, two at least. To whoever is slow itself all others are
    /// slow, and the one whose turn it is has just not been heard yet.
    bool is_behind(const partner& p, const ledger& book) const
    {
        const auto margin = std::max(call_.bunch / 4, std::min(call_.bunch / 2, std::uint32_t{2}));
        int others = 0, ahead = 0;
        for (const auto& o : partners_) {
            if (o.rank == p.rank || o.stage != p.stage || o.contributions == 0) continue;
            ++others;
            ahead += book.came(o.rank, message_kind::contribution) >= o.contributions ||
                     book.waiting(o.rank) >= margin;
        }
        return 2 * ahead >= others;
    }

    bool costs(std::size_t i, message_kind kind, time_point now, const ledger& book,
               duration round_trip, double share) const
    {
        const auto& p = partners_[i];
        const bool first = kind == message_kind::contribution;
        if (book.came(p.rank, kind) >= (first ? p.contributions : p.results)) return false;
        if (first && (book.waiting(p.rank) > 0 || !is_behind(p, book))) return false;
        const auto found = predict(i, now, book, round_trip);
        const int order = first ? p.stage + 1 : 2 * call_.stages - p.stage;
        const double least = share * order * price(p, found.without, round_trip);
        return found.saved > least && found.lost > least / 2 &&
               2 * found.saved >= most_saved(now, book, round_trip);
    }

    /// Without the one that costs most. Others may wait for its results before they contribute.
    double most_saved(time_point now, const ledger& book, duration round_trip) const
    {
        double most = 0;
        for (std::size_t i = 0; i < partners_.size(); ++i)
            if (samples_.back().came[i] < partners_[i].messages())
                most = std::max(most, predict(i, now, book, round_trip).saved);
        return most;
    }

    /// A vote that does not come is expected to take as long again. Its sender may be receiving
    /// what others send, of which nothing is seen here.
    bool owes_vote(const partner& p, time_point now, const ledger& book, duration round_trip,
                   time_point voting_since) const
    {
        const auto since = book.owed_since(p.rank, message_kind::vote);
        if (since == time_point::max()) return false;
        const int order = 2 * call_.stages + 1 + p.stage;
        return seconds(now - std::max(since, voting_since)) > order * price(p, 0, round_trip);
    }

    facts call_;
    std::vector<partner> partners_;
    std::vector<sample> samples_;  // since the last one of those who have begun did so
    std::ptrdiff_t begun_ = 0;     // how many there are
    time_point resumed_{};         // the last time that this process stood still
};

inline stragglers::prediction stragglers::predict(std::size_t i, time_point now, const ledger& book,
                                                  duration round_trip) const
{
    const auto& last = samples_.back();
    const auto& p = partners_[i];
    const double left = p.messages() - std::min(p.messages(), last.came[i]);
    const auto waiting = now - std::max(book.last_message(p.rank), resumed_);
    const auto window =
        std::max(std::min(call_.bunch, last.came[i] - samples_.front().came[i]), std::uint32_t{2});
    const double pace = std::min(pace_of(i, window, now - waiting),
                                 pace_of(i, std::min(window, window / 8 + 2), now - waiting));
    const double with = left * pace + seconds(waiting);

    // Everybody's pace before that, or that of the first half of all that has come.
    const auto before = std::max(samples_.front().all + come() / 2, since(i, window).all);
    const double least = least_reference(p, round_trip);
    const auto enough = std::ranges::find_if(samples_, [&](const sample& s) {
        return s.all >= before && seconds(s.when - samples_.front().when) >= least;
    });
    const auto reference = enough != samples_.end() ? enough : samples_.end() - 1;
    std::uint64_t expected = 0;
    for (const auto& each : partners_) expected += each.messages();
    const auto rest = static_cast<double>(expected - std::min(expected, last.all));
    const double usual = seconds(reference->when - samples_.front().when) /
                         static_cast<double>(reference->all - samples_.front().all);
    const double without = rest * usual;
    double lost = 0;
    for (auto since = reference; since != samples_.end(); ++since)
        lost = std::max(lost, seconds(now - std::max(since->when, resumed_)) -
                                  static_cast<double>(last.all - since->all) * usual);
    return {.saved = with - without, .without = without, .lost = lost};
}

}  // namespace papilio::detail
