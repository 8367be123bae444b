#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What each peer still owes this one in a call, and when it last gave something: who is to blame
/// when time is up.
class ledger {
public:
    ledger(int peers, time_point begin) : entries_(static_cast<std::size_t>(peers), entry{begin}) {}

    void expect(int peer, message_kind kind) { ++owed(peer, kind); }

    void came(int peer, message_kind kind, time_point now)
    {
        --owed(peer, kind);
        at(peer).progress = now;
    }

    /// The last sign of life from `peer`, as the transport knows it.
    void heard(int peer, time_point when) { at(peer).progress = std::max(at(peer).progress, when); }

    /// The peer, of those for which `suspected(peer)` holds, that owes the most messages of a kind,
    /// and among equals the one that has shown no life for the longest time; -1 if none is owed.
    template <class Suspected>
    int behind(message_kind kind, const Suspected& suspected) const
    {
        int culprit = -1;
        std::ptrdiff_t most = 1;
        auto oldest = time_point::max();
        for (std::size_t peer = 0; peer < entries_.size(); ++peer) {
            const auto& e = entries_[peer];
            const auto owes = e.owed[index(kind)];
            if (owes < most || (owes == most && e.progress >= oldest)) continue;
            if (!suspected(static_cast<int>(peer))) continue;
            most = owes;
            oldest = e.progress;
            culprit = static_cast<int>(peer);
        }
        return culprit;
    }

private:
    struct entry {
        time_point progress{};
        std::array<std::ptrdiff_t, 3> owed{};  // contributions, results, votes
    };

    static std::size_t index(message_kind kind)
    {
        PAPILIO_CHECK(kind >= message_kind::contribution && kind <= message_kind::vote,
                      "calls consist of contributions, results and votes");
        return static_cast<std::size_t>(kind) - 1;
    }

    entry& at(int peer) { return entries_[static_cast<std::size_t>(peer)]; }
    std::ptrdiff_t& owed(int peer, message_kind kind) { return at(peer).owed[index(kind)]; }

    std::vector<entry> entries_;
};

}  // namespace papilio::detail
