#pragma once

#include <papilio/async/event.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/arrival_history.hpp>
#include <papilio/collective/agreement/cost_forecast.hpp>
#include <papilio/collective/agreement/data_partner.hpp>
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
/// What they cost is forecast, which goes beyond what was seen, so that it alone strikes nobody:
/// the call must have lost half as much already. When the messages of a peer are few because others
/// have the link for a while, the call as a whole is as fast as before.
///
/// A call in which everything was slow from the begin has no straggler. Whoever has not sent its
/// first message is none: what a late caller keeps back says nothing of how fast it will be. So
/// only what has come since the last one began tells how fast a call is.
class stragglers {
public:
    using partner = data_partner;

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
        std::vector<std::uint32_t> came;
        for (const auto& p : partners_)
            came.push_back(book.came(p.rank, message_kind::contribution) +
                           book.came(p.rank, message_kind::result));
        history_.note(now, std::move(came));
    }

    /// This process stood still for so long, and nothing of that is another's fault.
    void pause(duration d, time_point now) { history_.pause(d, now); }

    /// Those who keep the call waiting and cost more than they are worth; nothing while too little
    /// has come to tell. Causes come first: no contribution waits for that of the one which is
    /// behind, and results may wait for one. What this peer sends may be why more does not come,
    /// since it waits for the same link.
    /// `voting_since` is when this peer's own data was complete. Who finds most of the others slow
    /// is slow itself, and names nobody.
    std::optional<rank_set> not_worth_waiting_for(time_point now, const ledger& book,
                                                  duration round_trip,
                                                  time_point voting_since) const
    {
        if (history_.come() < 2 * pace::enough) return std::nullopt;
        rank_set found;
        for (std::size_t i = 0; i < partners_.size(); ++i)
            if (costs(i, message_kind::contribution, now, book, round_trip))
                found.insert(partners_[i].rank);
        if (found.empty())
            for (std::size_t i = 0; i < partners_.size(); ++i)
                if (costs(i, message_kind::result, now, book, round_trip))
                    found.insert(partners_[i].rank);
        if (found.empty()) found = who_owes_votes(now, book, round_trip, voting_since);
        const bool most = 2 * static_cast<std::size_t>(found.size()) > partners_.size();
        return most && partners_.size() > 1 ? rank_set{} : found;
    }

    /// Whose votes have been missing for so long that all who owe them are not worth it.
    rank_set who_owes_votes(time_point now, const ledger& book, duration round_trip,
                            time_point voting_since) const
    {
        rank_set found;
        if (voting_since > now) return found;
        for (const auto& p : partners_)
            if (owes_vote(p, now, book, round_trip, voting_since)) found.insert(p.rank);
        return found;
    }

    /// Those about whom this peer agrees with others who complain: they keep it waiting, and cost
    /// half of what they are worth.
    rank_set suspects(time_point now, const ledger& book, duration round_trip) const
    {
        rank_set found;
        if (history_.come() < 2 * pace::enough) return found;
        for (std::size_t i = 0; i < partners_.size(); ++i) {
            const auto& p = partners_[i];
            if (history_.last().came[i] >= p.messages() || book.waiting(p.rank) > 0) continue;
            const auto cost = predict(i, now, book, round_trip);
            const double least = price(p, cost.without, round_trip) / 2;
            if (cost.saved > least && cost.lost > least / 2) found.insert(p.rank);
        }
        return found;
    }

private:
    static double seconds(duration d) { return std::chrono::duration<double>(d).count(); }

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

    /// Whether of at least half of the others all contributions have come, or as many as they may
    /// have under way wait for a peer's; or half as many, two at least, of those that were heard
    /// when it was not. To whoever is slow itself all others are slow and nobody is heard, and the
    /// one whose turn it is has just not been heard yet.
    bool is_behind(const partner& p, time_point now, const ledger& book) const
    {
        const auto all = call_.bunch / 2;
        const auto half = std::max(all / 2, std::min(all, std::uint32_t{2}));
        const auto quiet = now - book.last_message(p.rank);
        return half_of_others(partners_, p, [&](const partner& o) {
            const bool talks = 2 * (now - book.last_message(o.rank)) <= quiet;
            return book.came(o.rank, message_kind::contribution) >= o.contributions ||
                   book.waiting(o.rank) >= (talks ? half : all);
        });
    }

    /// Whether of at least half of the others all results have come: these wait for nobody else.
    bool is_last(const partner& p, const ledger& book) const
    {
        return has_others(partners_, p) && half_of_others(partners_, p, [&](const partner& o) {
                   return book.came(o.rank, message_kind::result) >= o.results;
               });
    }

    bool costs(std::size_t i, message_kind kind, time_point now, const ledger& book,
               duration round_trip) const
    {
        const auto& p = partners_[i];
        const bool first = kind == message_kind::contribution;
        if (book.came(p.rank, kind) >= (first ? p.contributions : p.results)) return false;
        if (first && (book.waiting(p.rank) > 0 || !is_behind(p, now, book))) return false;
        const auto found = predict(i, now, book, round_trip);
        const bool at_once = first || (call_.stages == 1 && is_last(p, book));
        const int order = at_once ? p.stage + 1 : 2 * call_.stages - p.stage;
        const double least = order * price(p, found.without, round_trip);
        return found.saved > least && found.lost > least / 2 &&
               2 * found.saved >= most_saved(now, book, round_trip);
    }

    /// Without the one that costs most. Others may wait for its results before they contribute.
    double most_saved(time_point now, const ledger& book, duration round_trip) const
    {
        double most = 0;
        for (std::size_t i = 0; i < partners_.size(); ++i)
            if (history_.last().came[i] < partners_[i].messages())
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

    cost_forecast predict(std::size_t i, time_point now, const ledger& book,
                          duration round_trip) const
    {
        const auto& p = partners_[i];
        return forecast({history_, partners_, call_.bunch}, i, book.last_message(p.rank), now,
                        least_reference(p, round_trip));
    }

    facts call_;
    std::vector<partner> partners_;
    arrival_history history_;
};

}  // namespace papilio::detail
