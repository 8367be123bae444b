#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>
#include <vector>

namespace papilio::detail {

/// What each peer still owes this one in a round, and when it last gave something: who is to blame
/// when time is up.
class ledger {
public:
    ledger(int peers, time_point begin) : entries_(static_cast<std::size_t>(peers), entry{begin}) {}

    void expect(int peer, message_kind kind, std::size_t messages)
    {
        owed(peer, kind) += static_cast<std::ptrdiff_t>(messages);
    }

    void came(int peer, message_kind kind, time_point now)
    {
        --owed(peer, kind);
        at(peer).progress = now;
    }

    /// The last sign of life from `peer`, as the transport knows it.
    void heard(int peer, time_point when) { at(peer).progress = std::max(at(peer).progress, when); }

    /// The peer that is furthest behind with its contributions, or -1 if none is owed. It alone is
    /// to blame: a contribution waits for nobody but its sender.
    int laggard() const
    {
        std::ptrdiff_t most = 0;
        for (const auto& e : entries_) most = std::max(most, e.contributions);
        if (most == 0) return -1;
        return most_silent([most](const entry& e) { return e.contributions == most; });
    }

    /// Of those who owe anything, the one that has shown no life for the longest time, or -1. It
    /// may only be waiting for another.
    int most_silent() const
    {
        return most_silent([](const entry& e) { return e.contributions > 0 || e.others > 0; });
    }

private:
    struct entry {
        time_point progress{};
        std::ptrdiff_t contributions = 0;
        std::ptrdiff_t others = 0;  // results and votes
    };

    entry& at(int peer) { return entries_[static_cast<std::size_t>(peer)]; }
    std::ptrdiff_t& owed(int peer, message_kind kind)
    {
        return kind == message_kind::contribution ? at(peer).contributions : at(peer).others;
    }

    template <class Suspect>
    int most_silent(Suspect suspect) const
    {
        int culprit = -1;
        auto oldest = time_point::max();
        for (std::size_t peer = 0; peer < entries_.size(); ++peer) {
            if (!suspect(entries_[peer]) || entries_[peer].progress >= oldest) continue;
            oldest = entries_[peer].progress;
            culprit = static_cast<int>(peer);
        }
        return culprit;
    }

    std::vector<entry> entries_;
};

}  // namespace papilio::detail
