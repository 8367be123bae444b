#pragma once

// Calls among simulated peers, some of whom are lost.

#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/sim/world.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::test {

/// How a call ended for one peer.
struct call_end {
    std::vector<float> data;
    std::optional<report> done;
    std::error_code why;
    int culprit = -1;
    duration took{};
};

/// Some simulated peers make one call, and something happens.
class salvaged_call {
public:
    using net = sim::transport;
    using program = std::function<task<report>(net&, std::vector<float>&)>;

    explicit salvaged_call(int n, sim::weather w = {}) : world_(with(w, n)) {}

    sim::world& world() { return world_; }

    void at(duration when, std::function<void(sim::world&)> what)
    {
        events_.push_back(happen(when, std::move(what)));
    }

    /// This peer begins so much later than the others.
    void late(int rank, duration by) { late_.emplace_back(rank, by); }

    /// Each peer begins with `count` elements of value 2^rank.
    std::vector<call_end>& run(std::size_t count, const program& call)
    {
        outcomes_.resize(static_cast<std::size_t>(world_.size()));
        auto work = std::exchange(events_, {});
        for (int rank = 0; rank < world_.size(); ++rank) {
            auto& data = outcomes_[static_cast<std::size_t>(rank)].data;
            data.assign(count, static_cast<float>(1 << rank));
            work.push_back(one(world_.peer(rank), call));
        }
        sync_wait(world_, all(std::move(work)));
        return outcomes_;
    }

private:
    static sim::weather with(sim::weather w, int n)
    {
        w.peers = n;
        return w;
    }

    static task<> all(std::vector<task<>> work) { co_await when_all(std::move(work)); }

    task<> happen(duration when, std::function<void(sim::world&)> what)
    {
        co_await sleep_until(time_point{} + when);
        what(world_);
    }

    task<> one(net& mine, const program& call)
    {
        auto& to = outcomes_[static_cast<std::size_t>(mine.rank())];
        for (const auto& [rank, by] : late_)
            if (rank == mine.rank()) {
                co_await sleep_for(by);
            }
        const auto begin = world_.now();
        try {
            task<report> work = call(mine, to.data);
            to.done = co_await std::move(work);
        } catch (const call_error& failure) {
            to.why = failure.code();
            to.culprit = failure.culprit();
        } catch (const std::system_error& failure) {
            to.why = failure.code();
        }
        to.took = world_.now() - begin;
    }

    sim::world world_;
    std::vector<task<>> events_;
    std::vector<std::pair<int, duration>> late_;
    std::vector<call_end> outcomes_;
};

inline void kill(salvaged_call& c, int rank, duration when)
{
    c.at(when, [rank](sim::world& w) { w.kill(rank); });
}

}  // namespace papilio::test
