#pragma once

#include <papilio/async/event.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/pace.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What each peer still owes this one in a call, since when, and when it last gave something: who
/// is to blame when time is up, and who is overdue before.
///
/// For a message it only counts. What else is to be known follows from what has changed between two
/// looks: there is one every so often in a call that lasts. So a debt counts from the look after it
/// came to be, which is late and never early.
class ledger {
public:
    ledger(int peers, time_point begin, duration limit = duration::max())
        : pace_(limit),
          entries_(index(peers),
                   entry{.last = begin, .heard = begin, .from = begin, .contributed = begin})
    {
    }

    void expect(int peer, message_kind kind) { ++account_of(peer, kind).expected; }

    void came(int peer, message_kind kind, time_point now)
    {
        ++account_of(peer, kind).came;
        auto& e = at(peer);
        e.longest = std::max(e.longest, now - std::max(e.last, e.from));
        e.last = now;
        if (kind == message_kind::contribution) e.contributed = now;
    }

    /// A contribution of `peer` has its answer, or needs none.
    void answered(int peer) { ++at(peer).answers; }

    /// The last sign of life from `peer`, as the transport knows it.
    void heard(int peer, time_point when) { at(peer).heard = std::max(at(peer).heard, when); }

    /// Notes what has changed since the last look: debts that are new, and for each peer of which
    /// something has come the longest gap before that, for the pace of the call.
    void look(time_point now)
    {
        for (auto& e : entries_) {
            if (const auto gap = std::exchange(e.longest, {}); gap > duration{}) pace_.tell(gap);
            for (std::size_t kind = 0; kind < e.accounts.size(); ++kind) {
                auto& a = e.accounts[kind];
                const auto changes = a.expected + (kind == 0 ? e.answers : 0);
                if (std::exchange(a.seen, changes) != changes) a.since = now;
            }
            if (!is_owed(e, 0) && !is_owed(e, 1)) e.from = now;
        }
    }

    /// Whether `peer` owes anything.
    bool owes(int peer) const
    {
        const auto owed = [](const account& a) { return a.owed() > 0; };
        return std::ranges::any_of(entries_[index(peer)].accounts, owed);
    }

    /// Since when `peer` has owed a message of a kind and sent none of any; the end of the clock if
    /// it owes none that only its own slowness could keep back, as far as this peer knows. Its
    /// first message shows that it is in the call at all, and its first result that all are for
    /// whom it waits, unless that is known. A contribution may wait for this peer's answer to
    /// another one: a contributor is free to have no more under way than some, and whoever is last
    /// of all always has its answers.
    time_point owed_since(int peer, message_kind kind) const
    {
        const auto& e = entries_[index(peer)];
        if (!is_owed(e, place(kind))) return time_point::max();
        return std::max(e.last, e.accounts[place(kind)].since);
    }

    /// Whether `peer` has sent enough to tell how fast its messages of a kind come: others may be
    /// much faster. Its results are as fast as the slowest of those who contribute to them.
    bool has_shown_its_pace(int peer, message_kind kind) const
    {
        const auto& e = entries_[index(peer)];
        if (later_ || (kind == message_kind::result && all_have_begun_)) return true;
        return (kind == message_kind::result ? e.accounts[1].came : messages(e)) >= 3;
    }

    /// Everybody in the call has sent something to somebody: no result waits for a late caller.
    void all_have_begun() noexcept { all_have_begun_ = true; }

    /// A contribution of `peer` is in a result, which may be on its way back.
    void reduced(int peer) { ++at(peer).reduced; }

    /// How many contributions, or results, have come from `peer`, and how many of the first kind
    /// wait for those of others.
    std::uint32_t came(int peer, message_kind kind) const
    {
        return entries_[index(peer)].accounts[place(kind)].came;
    }
    std::uint32_t waiting(int peer) const
    {
        const auto& e = entries_[index(peer)];
        return e.accounts[0].came - e.reduced;
    }

    /// Contributions of `peer` that have no answer yet: it may wait for one.
    std::int32_t unanswered(int peer) const
    {
        const auto& e = entries_[index(peer)];
        return static_cast<std::int32_t>(e.accounts[0].came - e.answers);
    }

    /// Whoever lives may take as long as it likes.
    void wait_for_all() noexcept { waits_ = true; }
    bool waits_for_all() const noexcept { return waits_; }

    /// When the last message of the call came from `peer`; the begin of the call if none has.
    time_point last_message(int peer) const { return entries_[index(peer)].last; }

    /// The same of its contributions.
    time_point last_contribution(int peer) const { return entries_[index(peer)].contributed; }

    const detail::pace& pace() const noexcept { return pace_; }

    /// A later view begins: the debts of the one before are void. Who has sent what stays known.
    /// Its members have said that they are there, and nothing waits for anything else.
    void reset()
    {
        later_ = true;
        for (auto& e : entries_) {
            e.answers = e.accounts[0].came;
            for (auto& a : e.accounts) a.expected = a.seen = a.came;
            e.accounts[0].seen += e.answers;  // as `look` counts changes
        }
    }

    /// The peer, of those for which `suspected(peer)` holds, that owes the most messages of a kind,
    /// and among equals the one that has shown no life for the longest time; -1 if none is owed.
    template <class Suspected>
    int behind(message_kind kind, const Suspected& suspected) const
    {
        int culprit = -1;
        std::int32_t most = 1;
        auto oldest = time_point::max();
        for (std::size_t peer = 0; peer < entries_.size(); ++peer) {
            const auto& e = entries_[peer];
            const auto owes = e.accounts[place(kind)].owed();
            const auto progress = std::max(e.last, e.heard);
            if (owes < most || (owes == most && progress >= oldest)) continue;
            if (!suspected(static_cast<int>(peer))) continue;
            most = owes;
            oldest = progress;
            culprit = static_cast<int>(peer);
        }
        return culprit;
    }

private:
    /// Messages of one kind. Counters may wrap around.
    struct account {
        std::int32_t owed() const { return static_cast<std::int32_t>(expected - came); }

        std::uint32_t expected = 0;
        std::uint32_t came = 0;
        std::uint32_t seen = 0;  // changes, at the last look
        time_point since{};      // the last look at which there were new ones
    };

    struct entry {
        time_point last{};                  // message of the call
        time_point heard{};                 // byte
        time_point from{};                  // the last look at which it kept back nothing
        time_point contributed{};           // its last contribution
        duration longest{};                 // gap since the last look
        std::array<account, 3> accounts{};  // contributions, results, votes
        std::uint32_t answers = 0;          // to its contributions
        std::uint32_t reduced = 0;          // of them
    };

    static std::size_t place(message_kind kind)
    {
        PAPILIO_CHECK(kind >= message_kind::contribution && kind <= message_kind::vote,
                      "calls consist of contributions, results and votes");
        return static_cast<std::size_t>(kind) - 1;
    }

    static std::uint32_t messages(const entry& e)
    {
        return e.accounts[0].came + e.accounts[1].came + e.accounts[2].came;
    }

    bool is_owed(const entry& e, std::size_t kind) const
    {
        const auto unanswered = static_cast<std::int32_t>(e.accounts[0].came - e.answers);
        const bool waits = kind == 0 && unanswered > 0;
        const bool by_results = kind == 1 && !all_have_begun_;
        const bool begun = by_results ? e.accounts[1].came > 0 : messages(e) > 0;
        return e.accounts[kind].owed() > 0 && (begun || later_) && !waits;
    }

    entry& at(int peer) { return entries_[index(peer)]; }
    account& account_of(int peer, message_kind kind) { return at(peer).accounts[place(kind)]; }

    detail::pace pace_;
    std::vector<entry> entries_;
    bool later_ = false;  // than view 0
    bool waits_ = false;
    bool all_have_begun_ = false;
};

}  // namespace papilio::detail
