#pragma once

// Runs protocols for 0, 1, 2, ... events and then lets something go, until a run is long enough to
// finish. The address and undefined-behaviour sanitizers judge what is left; so do the mailboxes,
// which stop the program when a receive outlives its transport. For clusters with one loop.

#include <papilio/base/error.hpp>

#include "support/clusters.hpp"

#include <algorithm>
#include <system_error>
#include <vector>

namespace papilio::test {

/// Starts `program(net)` as every peer.
template <class Cluster, class Program>
std::vector<task<>> start_everywhere(Cluster& cluster, Program& program)
{
    std::vector<task<>> tasks;
    for (int rank = 0; rank < cluster.size(); ++rank) {
        tasks.push_back(program(cluster.peer(rank)));
        tasks.back().start(cluster.loop());
    }
    return tasks;
}

/// Runs at most `steps` events, fewer once all `tasks` are done. Returns whether they are.
inline bool run_steps(loop& on, const std::vector<task<>>& tasks, int steps)
{
    const auto done = [&] {
        return std::ranges::all_of(tasks, [](const auto& t) { return t.finished(); });
    };
    for (int i = 0; i < steps && !done(); ++i) {
        if (!on.run_one()) throw std::system_error(errc::stalled);
    }
    return done();
}

/// Runs `program(net)` as every peer of a cluster from `make()`, drops every task after any number
/// of events that is a multiple of `stride`, and lets arrive what is under way. Returns how many
/// runs that took; throws what a peer threw in the last one, which was not cut short.
template <class Make, class Program>
int drop_at_every_step(Make make, Program program, int stride = 1)
{
    for (int runs = 1;; ++runs) {
        auto cluster = make();
        bool done = false;
        {
            auto tasks = start_everywhere(cluster, program);
            done = run_steps(cluster.loop(), tasks, (runs - 1) * stride);
            if (done)
                for (auto& t : tasks) t.result();
        }
        cluster.settle();
        if (done) return runs;
    }
}

/// Like `drop_at_every_step`, but only the process of `victim` dies. The others must come to an
/// end, which is theirs to choose: `judge(cluster, tasks)` sees all tasks but the victim's when
/// they have. Returns how many runs that took.
template <class Make, class Program, class Judge>
int lose_at_every_step(Make make, int victim, Program program, Judge judge, int stride = 1)
{
    for (int runs = 1;; ++runs) {
        auto cluster = make();
        bool done = false;
        {
            auto tasks = start_everywhere(cluster, program);
            done = run_steps(cluster.loop(), tasks, (runs - 1) * stride);
            tasks.erase(tasks.begin() + victim);
            cluster.lose(victim);
            while (!run_steps(cluster.loop(), tasks, 1)) {
            }
            judge(cluster, tasks);
        }
        cluster.settle();
        if (done) return runs;
    }
}

}  // namespace papilio::test
