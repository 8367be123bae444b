#pragma once

#include "model/rules.hpp"
#include "model/settings.hpp"
#include "model/state.hpp"

#include <string>

// What holds in every state that can be reached. Each check says in words what does not; nothing if
// all is well.
namespace papilio::model {

namespace detail {

inline std::string number(int i)
{
    return std::to_string(i);
}

/// What is decided stays decided: no view is decided otherwise, and none proposed otherwise later.
inline std::string check_decisions(const settings& of, const state& s)
{
    for (std::size_t v = 0; v <= index(of.last_view); ++v) {
        if (!is_decided(of, s.views[v])) continue;
        for (std::size_t w = v + 1; w <= index(of.last_view); ++w)
            if (s.views[w].members != 0 && s.views[w].settled != s.views[v].settled)
                return "view " + number(static_cast<int>(v)) + " is decided, and view " +
                       number(static_cast<int>(w)) +
                       (is_decided(of, s.views[w]) ? " is decided otherwise"
                                                   : " is proposed otherwise");
    }
    return {};
}

/// A peer may fail for certain when it is left out, or when its time ends and it has not voted.
inline bool may_fail_for_certain(const peer& p) noexcept
{
    return p.end == outcome::left || (p.end == outcome::running && p.voted == none);
}

/// A definite failure is one: no decided view has such a peer as a member.
inline std::string check_failures(const settings& of, const state& s)
{
    for (int v = 0; v <= of.last_view; ++v) {
        const auto& record = s.views[index(v)];
        if (!is_decided(of, record)) continue;
        for (int p = 0; p < of.peers; ++p)
            if (has(record.members, p) && may_fail_for_certain(s.peers[index(p)]))
                return "peer " + number(p) + " may fail for certain, and is a member of view " +
                       number(v) + ", which is decided";
    }
    return {};
}

/// Who succeeds holds what a decided view has settled on, and so all hold the same.
inline std::string check_successes(const settings& of, const state& s)
{
    const peer* other = nullptr;
    for (int i = 0; i < of.peers; ++i) {
        const auto& p = s.peers[index(i)];
        if (p.end != outcome::succeeded) continue;
        if (!is_decided(of, s.views[p.decided]))
            return "peer " + number(i) + " has succeeded, and its view is not decided";
        if (p.held != s.views[p.decided].settled)
            return "peer " + number(i) + " has succeeded without the chunks";
        if (other != nullptr && other->held != p.held)
            return "peer " + number(i) + " and another have succeeded with different chunks";
        other = &p;
    }
    return {};
}

inline std::string check_votes(const settings& of, const state& s)
{
    for (int v = 0; v <= of.last_view; ++v)
        if (const auto& record = s.views[index(v)]; !includes(record.members, record.yes))
            return "somebody has voted in view " + number(v) + ", and is no member";
    return {};
}

/// Whether one of `among`, of which `versions_of` tells what each holds, has a chunk as settled.
template <class VersionsOf>
bool all_chunks_held(const settings& of, bits among, const versions& settled,
                     VersionsOf versions_of)
{
    for (std::size_t k = 0; k < index(of.chunks); ++k) {
        bool held = false;
        for (int p = 0; p < of.peers; ++p)
            held = held || (has(among, p) && versions_of(index(p))[k] == settled[k]);
        if (!held) return false;
    }
    return true;
}

/// What a coordinator has to adopt, members hold who have promised to its view.
inline std::string check_adoptions(const settings& of, const state& s)
{
    std::string found;
    for (int v = 1; v <= of.last_view; ++v) {
        const auto& record = s.views[index(v)];
        if (!may_propose(of, s, coordinator(of, v), v)) continue;
        for_each_choice_of_members(of, record, [&](bits members) {
            const auto adopted = latest_vote(of, record, members);
            if (of.planted == bug::no_adoption || adopted == none) return;
            if (!all_chunks_held(of, members, s.views[adopted].settled,
                                 [&](std::size_t p) { return record.promises[p].held; }))
                found = "view " + number(v) + " of " + text(members) + " has to adopt view " +
                        number(adopted) + ", whose chunks they do not hold";
        });
    }
    return found;
}

/// The peers of `stay` hear each other from now on, and nobody else runs: is there a way to the end
/// for them? If one has succeeded, it tells the others, and those that it counts on hold what it
/// holds. Else, if they are a majority, they can propose: what they have to adopt they hold.
inline std::string check_way_out(const settings& of, const state& s, bits stay)
{
    bits running = 0;
    view_number decided = none;
    for (int p = 0; p < of.peers; ++p) {
        const auto& peer = s.peers[index(p)];
        if (!has(stay, p)) continue;
        if (peer.end == outcome::running) running |= bit(p);
        if (peer.end == outcome::succeeded) decided = peer.decided;
    }
    view_number latest = none;
    for (int p = 0; p < of.peers; ++p) {
        const auto& peer = s.peers[index(p)];
        if (!has(running, p)) continue;
        if (decided != none && has(s.views[decided].members, p) &&
            peer.held != s.views[decided].settled)
            return "peer " + number(p) + " is a member of view " + number(decided) +
                   ", which is decided, and does not hold its chunks";
        if (peer.voted != none && (latest == none || peer.voted > latest)) latest = peer.voted;
    }
    if (decided != none || !is_majority(of, running) || latest == none) return {};
    if (all_chunks_held(of, running, s.views[latest].settled,
                        [&](std::size_t p) { return s.peers[p].held; }))
        return {};
    return "blocked: " + text(running) + " have to adopt view " + number(latest) +
           ", whose chunks they do not hold";
}

inline std::string check_ways_out(const settings& of, const state& s)
{
    for (int stay = 1; stay <= all_of(of); ++stay)
        if (auto found = check_way_out(of, s, static_cast<bits>(stay)); !found.empty())
            return found;
    return {};
}

}  // namespace detail

/// The first invariant that does not hold, in words; nothing if all do.
inline std::string violation(const settings& of, const state& s)
{
    for (const auto check :
         {detail::check_decisions, detail::check_failures, detail::check_successes,
          detail::check_votes, detail::check_adoptions, detail::check_ways_out})
        if (auto found = check(of, s); !found.empty()) return found;
    return {};
}

}  // namespace papilio::model
