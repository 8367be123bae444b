#pragma once

#include "model/rules.hpp"
#include "model/settings.hpp"
#include "model/state.hpp"
#include "model/steps.hpp"

#include <algorithm>
#include <cstddef>

// What can happen next in a state: one step of one peer.
namespace papilio::model {

namespace detail {

template <class Take>
struct stepper {
    const settings& of;
    const state& now;
    int p;
    Take& take;

    const peer& me() const { return now.peers[index(p)]; }
    const view_record& at(int view) const { return now.views[index(view)]; }

    /// Hands out the state that `change` makes of this one's copy.
    template <class Change>
    void offer(step what, Change change)
    {
        state next = now;
        what.peer = p;
        change(next.peers[index(p)], next.views[index(what.view)]);
        take(what, next);
    }

    void move(int k)
    {
        const int v = me().joined;
        const auto& in = at(v);
        const auto c = index(k);
        const auto wanted = in.settled[c];
        if (me().held[c] == wanted) return;
        const auto write = [&](event what, int from) {
            offer({what, p, v, k, from}, [&](peer& mine, view_record& record) {
                mine.held[c] = wanted;
                if (what == event::reduces) record.written |= bit(k);
            });
        };
        if (!of.whole_writes && me().held[c] != none) {
            offer({event::clears, p, v, k}, [&](peer& mine, view_record&) { mine.held[c] = none; });
        } else if (wanted != v) {
            const int from = source(of, in, c);
            if (from >= 0 && has(in.joined, from)) write(event::is_passed, from);
        } else if (const int from = writer(of, in, k); from != p) {
            if (has(in.written, k)) write(event::receives, from);
        } else if (includes(in.joined, in.members)) {
            write(event::reduces, -1);
        }
    }

    void vote()
    {
        const int v = me().joined;
        const bool in_time = me().promised == v || of.planted == bug::late_vote;
        if (!in_time || !has(at(v).members, p) || has(at(v).yes, p) || me().held != at(v).settled)
            return;
        offer({event::votes, p, v}, [&](peer& mine, view_record& record) {
            mine.voted = static_cast<view_number>(v);
            record.yes |= bit(p);
        });
    }

    /// In any view, whatever has been promised since.
    void succeed()
    {
        for (int v = 0; v <= of.last_view; ++v) {
            if (!is_decided(of, at(v)) || me().held != at(v).settled) continue;
            offer({event::succeeds, p, v}, [&](peer& mine, view_record&) {
                mine.end = outcome::succeeded;
                mine.decided = static_cast<view_number>(v);
            });
            return;
        }
    }

    /// Who has succeeded tells the others. Whoever does not hold what is decided has been left out,
    /// whatever it has promised since.
    void hear_of_success()
    {
        for (int v = 0; v <= of.last_view; ++v)
            if (is_decided(of, at(v)) && me().held != at(v).settled) leave(v);
    }

    void leave(int v)
    {
        offer({event::leaves, p, v}, [](peer& mine, view_record&) { mine.end = outcome::left; });
    }

    void promise()
    {
        for (int v = me().promised + 1; v <= of.last_view; ++v)
            offer({event::promises, p, v}, [&](peer& mine, view_record& record) {
                mine.promised = static_cast<view_number>(v);
                record.promises[index(p)] = {true, mine.voted, mine.held};
            });
    }

    void receive_proposals()
    {
        for (int v = std::max<int>(me().promised, me().joined + 1); v <= of.last_view; ++v) {
            if (at(v).members == 0) continue;
            if (has(at(v).members, p))
                join(v);
            else if (me().held != at(v).settled)
                leave(v);
        }
    }

    void join(int v)
    {
        offer({event::joins, p, v, -1, coordinator(of, v)}, [&](peer& mine, view_record& record) {
            mine.promised = mine.joined = static_cast<view_number>(v);
            record.joined |= bit(p);
            // What is settled otherwise now was not decided, and never will be.
            if (mine.voted != none && at(mine.voted).settled != record.settled &&
                of.planted != bug::no_voiding)
                mine.voted = none;
        });
    }

    void propose(int v, bits members)
    {
        const auto& in = at(v);
        const auto adopted = of.planted == bug::no_adoption ? none : latest_vote(of, in, members);
        if (adopted != none) {
            offer({event::proposes, p, v}, [&](peer&, view_record& record) {
                record.members = members;
                record.settled = at(adopted).settled;
            });
            return;
        }
        settle(v, members, 0, {});
    }

    /// Proposes every settlement that there can be of the chunks from the k-th on.
    void settle(int v, bits members, std::size_t k, versions settled)
    {
        if (k == index(of.chunks)) {
            offer({event::proposes, p, v}, [&](peer&, view_record& record) {
                record.members = members;
                record.settled = settled;
            });
            return;
        }
        const auto choices = choices_of_version(of, at(v), v, members, k);
        for (int version = 0; version <= v; ++version) {
            if (!has(choices, version)) continue;
            settled[k] = static_cast<view_number>(version);
            settle(v, members, k + 1, settled);
        }
    }
};

}  // namespace detail

/// Calls `take(step, next)` for every step that peer p can make in `now`. Some may lead to one
/// state.
template <class Take>
void for_each_step_of(const settings& of, const state& now, int p, Take& take)
{
    detail::stepper<Take> of_peer{of, now, p, take};
    if (of_peer.me().end != outcome::running) return;
    if (of_peer.me().promised == of_peer.me().joined)
        for (int k = 0; k < of.chunks; ++k) of_peer.move(k);
    of_peer.vote();
    of_peer.succeed();
    of_peer.hear_of_success();
    of_peer.promise();
    of_peer.receive_proposals();
    for (int v = 1; v <= of.last_view; ++v)
        if (may_propose(of, now, p, v))
            for_each_choice_of_members(of, now.views[index(v)],
                                       [&](bits members) { of_peer.propose(v, members); });
}

/// The same of all peers.
template <class Take>
void for_each_step(const settings& of, const state& now, Take take)
{
    for (int p = 0; p < of.peers; ++p) for_each_step_of(of, now, p, take);
}

}  // namespace papilio::model
