#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/sim/faults.hpp>
#include <papilio/sim/world.hpp>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::sim {

/// What the player of a schedule tells.
struct fault_events {
    /// The process of `rank` has died: drop its tasks.
    std::function<void(int rank)> died;
    /// A fault begins, or is over.
    std::function<void(const fault& f, bool begins)> seen;
};

/// Makes all of this befall the peers of `w`, from now on. For the world's own loop. Where two
/// faults overlap that slow the same peer, or delay what the same peers send, the later one counts,
/// and the end of the first ends both. What befalls a process that is dead does nothing. Borrows
/// `w` and `tell`.
task<> play(world& w, schedule all, const fault_events& tell);

}  // namespace papilio::sim

namespace papilio::inline PAPILIO_MODE::sim::detail {

/// For every direction of a fault: from, to.
template <class Function>
void for_each_direction(const world& w, const fault& f, Function each)
{
    if (f.what == verb::partition) {
        for (const int in : f.peers)
            for (int out = 0; out < w.size(); ++out)
                if (std::ranges::find(f.peers, out) == f.peers.end()) {
                    each(in, out);
                    each(out, in);
                }
        return;
    }
    each(f.peers[0], f.peers[1]);
    if (f.what != verb::cut) each(f.peers[1], f.peers[0]);
}

inline void slow_down(world& w, int rank, duration per_kib)
{
    const auto least = std::max(per_kib, duration(1));
    const double rate = 1024e9 / static_cast<double>(least.count());
    const auto now = w.access_of(rank);
    w.reshape(rank,
              {std::min(now.up_bytes_per_second, rate), std::min(now.down_bytes_per_second, rate)});
}

inline void begin(world& w, const fault& f, const fault_events& tell)
{
    const int first = f.peers[0];
    switch (f.what) {
    case verb::crash:
    case verb::restart:
        if (w.is_dead(first)) return;
        w.kill(first);
        if (tell.died) tell.died(first);
        return;
    case verb::stop: w.stop(first); return;
    case verb::slow: slow_down(w, first, f.by); return;
    case verb::clog:
        for_each_direction(w, f, [&](int from, int to) { w.clog(from, to, f.by); });
        return;
    case verb::reorder:
        for_each_direction(w, f, [&](int from, int to) { w.clog(from, to, {}, f.by); });
        return;
    case verb::cut:
    case verb::partition:
        for_each_direction(w, f, [&](int from, int to) { w.cut(from, to); });
        return;
    case verb::drop: w.drop(f.peers[0], f.peers[1]); return;
    case verb::flip: w.flip(f.peers[0], f.peers[1]); return;
    }
}

inline void end(world& w, const fault& f, const access& before)
{
    switch (f.what) {
    case verb::crash:
    case verb::flip: return;
    case verb::restart:
        if (w.is_dead(f.peers[0])) w.restart(f.peers[0]);
        return;
    case verb::stop: w.go_on(f.peers[0]); return;
    case verb::slow: w.reshape(f.peers[0], before); return;
    case verb::clog:
    case verb::reorder:
        for_each_direction(w, f, [&](int from, int to) { w.clog(from, to, {}); });
        return;
    case verb::cut:
    case verb::partition:
        for_each_direction(w, f, [&](int from, int to) { w.heal(from, to); });
        return;
    case verb::drop: w.connect(f.peers[0], f.peers[1]); return;
    }
}

inline task<> befall(world& w, const fault& f, const access& before, const fault_events& tell)
{
    co_await sleep_for(f.at);
    if (tell.seen) tell.seen(f, true);
    begin(w, f, tell);
    if (f.lasts == duration{} || f.what == verb::crash || f.what == verb::flip) co_return;
    co_await sleep_for(f.lasts);
    end(w, f, before);
    if (tell.seen) tell.seen(f, false);
}

}  // namespace papilio::sim::detail

namespace papilio::inline PAPILIO_MODE::sim {

inline task<> play(world& w, schedule all, const fault_events& tell)
{
    std::vector<access> before;
    for (int rank = 0; rank < w.size(); ++rank) before.push_back(w.access_of(rank));
    std::vector<task<>> each;
    for (const auto& f : all) {
        const auto& own = before[static_cast<std::size_t>(f.peers[0])];
        each.push_back(detail::befall(w, f, own, tell));
    }
    co_await when_all(std::move(each));
}

}  // namespace papilio::sim
