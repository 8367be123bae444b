#pragma once

#include "model/settings.hpp"

#include <array>
#include <cstdint>

// What the peers of a call know and have said, as the protocol of views sees it. Messages are never
// lost from the state, and each may be received at any later time or never: so one state stands for
// all crashes, silences, one-way losses, delays and repetitions that lead to it.
namespace papilio::model {

using view_number = std::uint8_t;
inline constexpr view_number none = 255;

/// Of each chunk the view in which it was reduced; 0 of chunks that there are not.
using versions = std::array<view_number, max_chunks>;

enum class outcome : std::uint8_t { running, left, succeeded };

struct peer {
    view_number promised = 0;  ///< it votes in no view before
    view_number joined = 0;
    view_number voted = none;  ///< none, too, if it has voted for what cannot be decided any more
    outcome end = outcome::running;
    view_number decided = none;  ///< in which view it has succeeded
    versions held{};

    friend bool operator==(const peer&, const peer&) = default;
};

/// What a peer has promised to a view.
struct promise {
    bool sent = false;
    view_number voted = none;
    versions held{};

    friend bool operator==(const promise&, const promise&) = default;
};

/// All that has been said about a view.
struct view_record {
    std::array<promise, max_peers> promises;
    bits members = 0;    ///< as proposed; 0: nothing is
    versions settled{};  ///< the same, of each chunk
    bits joined = 0;     ///< who has sent contributions and what it holds
    bits written = 0;    ///< chunks reduced in this view
    bits yes = 0;        ///< who has voted

    friend bool operator==(const view_record&, const view_record&) = default;
};

struct state {
    std::array<peer, max_peers> peers;
    std::array<view_record, max_views> views;

    friend bool operator==(const state&, const state&) = default;
};

/// All peers are in view 0, hold nothing, and have nothing to agree on.
inline state initial(const settings& of)
{
    state s;
    s.views[0].members = s.views[0].joined = all_of(of);
    for (auto& p : s.peers)
        for (int k = 0; k < of.chunks; ++k) p.held[index(k)] = none;
    return s;
}

/// Passes every field that can change to `visit`, with the number of values that it can have; of
/// those that may be `none`, this is the last.
template <class State, class Visit>
void visit_fields(const settings& of, State& s, Visit visit)
{
    const auto views = static_cast<unsigned>(of.last_view) + 1;
    const auto sets = 1u << static_cast<unsigned>(of.peers);
    const auto visit_versions = [&](auto& list) {
        for (int k = 0; k < of.chunks; ++k) visit(list[index(k)], views + 1, none);
    };
    for (int i = 0; i < of.peers; ++i) {
        auto& p = s.peers[index(i)];
        visit(p.promised, views);
        visit(p.joined, views);
        visit(p.voted, views + 1, none);
        visit(p.end, 3u);
        visit(p.decided, views + 1, none);
        visit_versions(p.held);
    }
    for (unsigned v = 0; v < views; ++v) {
        auto& record = s.views[v];
        visit(record.written, 1u << static_cast<unsigned>(of.chunks));
        visit(record.yes, sets);
        if (v == 0) continue;  // its proposal is known to all beforehand
        visit(record.members, sets);
        visit(record.joined, sets);
        visit_versions(record.settled);
        for (int i = 0; i < of.peers; ++i) {
            auto& said = record.promises[index(i)];
            visit(said.sent, 2u);
            visit(said.voted, views + 1, none);
            visit_versions(said.held);
        }
    }
}

}  // namespace papilio::model
