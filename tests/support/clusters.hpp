#pragma once

// Clusters of peers in this process, all with the same members, so that one test runs over every
// transport:
//
//     cluster.loop()        where all peers live (not in clusters with a thread for each peer)
//     cluster.peer(rank)    its transport
//     cluster.size()
//     cluster.run(program)  program(net) as every living peer, until all are done; throws the first
//                           failure
//     cluster.lose(rank)    its process dies: without a task of its own, or as the last act of one
//     cluster.settle()      lets what is under way arrive, though nobody waits for it
//
// Catch's assertions are not for several threads: programs of threaded clusters throw or record.

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/transport/inproc.hpp>

#include <support/tasks.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace papilio::test {

/// Runs `program(net)` for each of `nets` on `on`, which all of them share.
template <class Net, class Program>
void run_together(loop& on, const std::vector<Net*>& nets, Program& program)
{
    std::vector<task<>> programs;
    for (auto* net : nets) programs.push_back(program(*net));
    sync_wait(on, all_of(std::move(programs)));
}

/// Runs `program(net)` for each of `nets` in a thread of its own, on the loop beside it. When one
/// fails, `lose(net)` in its thread tells the others.
template <class Loop, class Net, class Program, class Lose>
void run_apart(const std::vector<std::pair<Loop*, Net*>>& nets, Program& program, Lose lose)
{
    std::mutex mutex;
    std::exception_ptr first;
    const auto live = [&](Loop& on, Net& net) {
        try {
            sync_wait(on, program(net));
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!first) first = std::current_exception();
            lose(net);
        }
    };
    {
        std::vector<std::jthread> threads;
        for (const auto& [on, net] : nets)
            threads.emplace_back(live, std::ref(*on), std::ref(*net));
    }
    if (first) std::rethrow_exception(first);
}

/// Peers in virtual time. A deadlock throws `errc::stalled`.
class sim_cluster {
public:
    static constexpr const char* name = "sim";
    static constexpr bool threaded = false;

    explicit sim_cluster(int peers, sim::weather w = {}) : world_(sized(w, peers)) {}

    sim::world& loop() { return world_; }
    sim::world& world() { return world_; }
    sim::transport& peer(int rank) { return world_.peer(rank); }
    int size() const { return world_.size(); }

    template <class Program>
    void run(Program program)
    {
        std::vector<sim::transport*> living;
        for (int rank = 0; rank < size(); ++rank)
            if (!lost_.contains(rank)) living.push_back(&peer(rank));
        run_together(world_, living, program);
    }

    void lose(int rank)
    {
        lost_.insert(rank);
        world_.kill(rank);
    }
    void settle()
    {
        while (world_.run_one()) {
        }
    }

private:
    static sim::weather sized(sim::weather w, int peers)
    {
        w.peers = peers;
        return w;
    }

    std::set<int> lost_;
    sim::world world_;
};

/// Peers in one thread and in real time. A deadlock throws `errc::stalled`.
class inproc_cluster {
public:
    static constexpr const char* name = "inproc";
    static constexpr bool threaded = false;

    explicit inproc_cluster(int peers, std::size_t early_limit = mailbox::default_limit)
        : group_(peers, loop_, early_limit)
    {
    }

    thread_loop& loop() { return loop_; }
    inproc::transport& peer(int rank) { return group_.peer(rank); }
    int size() const { return group_.size(); }

    template <class Program>
    void run(Program program)
    {
        std::vector<inproc::transport*> living;
        for (int rank = 0; rank < size(); ++rank)
            if (!lost_.contains(rank)) living.push_back(&peer(rank));
        run_together(loop_, living, program);
    }

    void lose(int rank)
    {
        lost_.insert(rank);
        peer(rank).close();
    }
    void settle()
    {
        while (loop_.run_one()) {
        }
    }

private:
    std::set<int> lost_;
    thread_loop loop_;
    inproc::group group_;
};

/// Peers in a thread each. A deadlock hangs.
class inproc_threads_cluster {
public:
    static constexpr const char* name = "inproc, threads";
    static constexpr bool threaded = true;

    explicit inproc_threads_cluster(int peers)
        : loops_(static_cast<std::size_t>(peers)), group_(addresses(loops_))
    {
    }

    inproc::transport& peer(int rank) { return group_.peer(rank); }
    int size() const { return group_.size(); }

    template <class Program>
    void run(Program program)
    {
        std::vector<std::pair<thread_loop*, inproc::transport*>> living;
        for (int rank = 0; rank < size(); ++rank)
            if (!lost_.contains(rank))
                living.emplace_back(&loops_[static_cast<std::size_t>(rank)], &peer(rank));
        run_apart(living, program, [](inproc::transport& net) { net.close(); });
    }

    void lose(int rank)
    {
        peer(rank).close();
        const std::lock_guard lock(mutex_);
        lost_.insert(rank);
    }

private:
    static std::vector<papilio::loop*> addresses(std::vector<thread_loop>& loops)
    {
        std::vector<papilio::loop*> found;
        for (auto& l : loops) found.push_back(&l);
        return found;
    }

    std::mutex mutex_;
    std::set<int> lost_;
    std::vector<thread_loop> loops_;
    inproc::group group_;
};

}  // namespace papilio::test
