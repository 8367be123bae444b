#pragma once

#include "model/settings.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

// Views without a coordinator, which this project once meant to have. Whoever gives a view up tells
// all others whom it suspects and which chunks it holds; the members of the next view are those who
// did so, once everybody else is suspected by more than half of the group. Every peer finds that
// out from the messages that it happens to have: and so two peers find different members.
namespace papilio::model {

struct local_members {
    settings of;

    struct peer {
        std::uint8_t view = 0;
        bool changing = false;  ///< has given `view` up
        bool voted = false;
        bool succeeded = false;
        bits members = 0;
        bits suspects = 0;
        std::array<bits, max_chunks> chunks{};          ///< of whom each is made; 0: not held
        std::array<std::uint8_t, max_chunks> source{};  ///< who is to give each
        friend bool operator==(const peer&, const peer&) = default;
    };

    /// What a peer has said in a view.
    struct said {
        bool change = false;  ///< that it has given up the view before
        bits suspects = 0;
        bits held = 0;     ///< chunks
        bits members = 0;  ///< it moves data with these; 0: it does not
        std::array<bits, max_chunks> offers{};
        bool yes = false;
        friend bool operator==(const said&, const said&) = default;
    };

    struct state {
        std::array<peer, max_peers> peers;
        std::array<std::array<said, max_peers>, max_views> views;
        friend bool operator==(const state&, const state&) = default;
    };

    enum class event : std::uint8_t { suspects, hears, moves, reduces, receives, votes, succeeds };
    struct step {
        event what{};
        int peer = 0;
        int about = 0;  ///< the one suspected, or a chunk
    };

    state initial() const
    {
        state s;
        for (std::size_t p = 0; p < peers(); ++p) {
            s.peers[p].members = s.views[0][p].members = all_of(of);
            for (std::size_t k = 0; k < chunks(); ++k)
                s.peers[p].source[k] = static_cast<std::uint8_t>(k % peers());
        }
        return s;
    }

    template <class State, class Visit>
    void visit_fields(State& s, Visit visit) const
    {
        const auto sets = static_cast<unsigned>(all_of(of)) + 1;
        for (std::size_t p = 0; p < peers(); ++p) {
            auto& me = s.peers[p];
            visit(me.view, static_cast<unsigned>(of.last_view) + 1);
            for (auto* flag : {&me.changing, &me.voted, &me.succeeded}) visit(*flag, 2u);
            for (auto* set : {&me.members, &me.suspects}) visit(*set, sets);
            for (std::size_t k = 0; k < chunks(); ++k) {
                visit(me.chunks[k], sets);
                visit(me.source[k], static_cast<unsigned>(of.peers));
            }
            for (std::size_t v = 0; v <= index(of.last_view); ++v) {
                auto& mine = s.views[v][p];
                for (auto* flag : {&mine.change, &mine.yes}) visit(*flag, 2u);
                for (auto* set : {&mine.suspects, &mine.members}) visit(*set, sets);
                visit(mine.held, 1u << chunks());
                for (std::size_t k = 0; k < chunks(); ++k) visit(mine.offers[k], sets);
            }
        }
    }

    std::string violation(const state& s) const
    {
        for (std::size_t a = 0; a < peers(); ++a)
            for (std::size_t b = 0; b < a; ++b)
                if (s.peers[a].succeeded && s.peers[b].succeeded &&
                    s.peers[a].chunks != s.peers[b].chunks)
                    return "peers " + std::to_string(b) + " and " + std::to_string(a) +
                           " succeed with different chunks, as members of " +
                           text(s.peers[b].members) + " and " + text(s.peers[a].members);
        return {};
    }

    std::string text(const step& done, const state& after) const
    {
        const auto& me = after.peers[index(done.peer)];
        const auto who = std::to_string(done.peer), view = " view " + std::to_string(me.view);
        const auto about = std::to_string(done.about);
        switch (done.what) {
        case event::suspects: return who + " suspects " + about + ", and has given up" + view;
        case event::hears: return who + " hears of a change, and gives up" + view;
        case event::moves: return who + " takes " + text(me.members) + " for the members of" + view;
        case event::reduces: return who + " reduces chunk " + about + " in" + view;
        case event::receives: return who + " receives chunk " + about + " in" + view;
        case event::votes: return who + " votes in" + view;
        case event::succeeds:
            return who + " has the votes of " + text(me.members) + " and succeeds";
        }
        return "?";
    }

    static std::string text(bits set) { return model::text(set); }

    template <class Take>
    void for_each_step(const state& now, Take take) const
    {
        for (std::size_t p = 0; p < peers(); ++p) {
            const auto& me = now.peers[p];
            if (me.succeeded) continue;
            if (!me.changing) {
                for (std::size_t k = 0; k < chunks(); ++k) move_chunk(now, p, k, take);
                agree(now, p, take);
            }
            if (me.view < of.last_view) give_up(now, p, take);
            if (me.changing) take_members(now, p, take);
        }
    }

private:
    std::size_t peers() const { return index(of.peers); }
    std::size_t chunks() const { return index(of.chunks); }

    template <class Take, class Change>
    static void offer(const state& now, event what, std::size_t p, std::size_t about, Take& take,
                      Change change)
    {
        state next = now;
        change(next, next.peers[p]);
        take(step{what, static_cast<int>(p), static_cast<int>(about)}, next);
    }

    /// Whether q sends p data in p's view.
    static bool sends_to(const state& s, std::size_t q, std::size_t p)
    {
        return has(s.views[s.peers[p].view][q].members, static_cast<int>(p));
    }

    template <class Take>
    void move_chunk(const state& now, std::size_t p, std::size_t k, Take& take) const
    {
        const auto& me = now.peers[p];
        if (me.chunks[k] != 0) return;
        const std::size_t from = me.source[k];
        if (from != p) {
            const auto offered = now.views[me.view][from].offers[k];
            if (offered != 0 && sends_to(now, from, p))
                offer(now, event::receives, p, k, take,
                      [&](state&, peer& mine) { mine.chunks[k] = offered; });
            return;
        }
        for (std::size_t q = 0; q < peers(); ++q)
            if (q != p && has(me.members, static_cast<int>(q)) && !sends_to(now, q, p)) return;
        offer(now, event::reduces, p, k, take, [&](state& next, peer& mine) {
            mine.chunks[k] = next.views[mine.view][p].offers[k] = mine.members;
        });
    }

    template <class Take>
    void agree(const state& now, std::size_t p, Take& take) const
    {
        const auto& me = now.peers[p];
        for (std::size_t k = 0; k < chunks(); ++k)
            if (me.chunks[k] == 0) return;
        if (!me.voted) {
            offer(now, event::votes, p, 0, take, [&](state& next, peer& mine) {
                mine.voted = next.views[mine.view][p].yes = true;
            });
            return;
        }
        for (std::size_t q = 0; q < peers(); ++q)
            if (has(me.members, static_cast<int>(q)) && !now.views[me.view][q].yes) return;
        offer(now, event::succeeds, p, 0, take, [](state&, peer& mine) { mine.succeeded = true; });
    }

    template <class Take>
    void give_up(const state& now, std::size_t p, Take& take) const
    {
        const auto& me = now.peers[p];
        const auto next_view = index(me.view) + 1;
        const auto tell = [&](event what, std::size_t about, bits suspects) {
            offer(now, what, p, about, take, [&](state& next, peer& mine) {
                auto& record = next.views[next_view][p];
                mine.suspects = record.suspects = static_cast<bits>(mine.suspects | suspects);
                if (!mine.changing)
                    for (std::size_t k = 0; k < chunks(); ++k)
                        if (mine.chunks[k] != 0) record.held |= bit(static_cast<int>(k));
                mine.changing = record.change = true;
            });
        };
        for (std::size_t q = 0; q < peers(); ++q) {
            const int other = static_cast<int>(q);
            if (q != p && has(me.members, other) && !(me.changing && has(me.suspects, other)))
                tell(event::suspects, q, bit(other));
        }
        if (!me.changing &&
            std::ranges::any_of(now.views[next_view], [](const said& s) { return s.change; }))
            tell(event::hears, 0, 0);
    }

    /// Whether more than half of the group, all of them in `heard`, suspect q.
    bool is_lost(const state& s, std::size_t view, bits heard, std::size_t q) const
    {
        bits by = 0;
        for (std::size_t r = 0; r < peers(); ++r)
            if (has(heard, static_cast<int>(r)) &&
                has(s.views[view][r].suspects, static_cast<int>(q)))
                by |= bit(static_cast<int>(r));
        return is_majority(of, by);
    }

    template <class Take>
    void take_members(const state& now, std::size_t p, Take& take) const
    {
        const auto& me = now.peers[p];
        const auto next_view = index(me.view) + 1;
        bits changed = 0;
        for (std::size_t q = 0; q < peers(); ++q)
            if (has(me.members, static_cast<int>(q)) && now.views[next_view][q].change)
                changed |= bit(static_cast<int>(q));
        for (unsigned set = changed; set != 0; set = (set - 1) & changed) {
            const auto heard = static_cast<bits>(set);
            bool enough = has(heard, static_cast<int>(p)) && is_majority(of, heard) &&
                          !is_lost(now, next_view, heard, p);
            for (std::size_t q = 0; q < peers(); ++q)
                if (has(me.members, static_cast<int>(q)) && !has(heard, static_cast<int>(q)))
                    enough = enough && is_lost(now, next_view, heard, q);
            if (enough)
                offer(now, event::moves, p, 0, take,
                      [&](state& next, peer&) { move_on(next, p, heard); });
        }
    }

    void move_on(state& s, std::size_t p, bits members) const
    {
        auto& me = s.peers[p];
        ++me.view;
        me.changing = me.voted = false;
        me.members = members;
        auto& mine = s.views[me.view];
        mine[p].members = members;
        for (std::size_t k = 0; k < chunks(); ++k) {
            std::size_t from = 0;
            while (from < peers() && !(has(members, static_cast<int>(from)) &&
                                       has(mine[from].held, static_cast<int>(k))))
                ++from;
            if (from == peers())  // nobody holds it
                for (from = k % peers(); !has(members, static_cast<int>(from));)
                    from = (from + 1) % peers();
            me.source[k] = static_cast<std::uint8_t>(from);
            if (from == p) mine[p].offers[k] = me.chunks[k];
        }
    }
};

}  // namespace papilio::model
