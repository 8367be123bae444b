#pragma once

// A call of simulated peers, beside which each of them watches who is overdue.

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/collective/agreement/call_run.hpp>
#include <papilio/collective/agreement/progress_watch.hpp>
#include <papilio/collective/agreement/salvage.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/engine/butterfly_engine.hpp>
#include <papilio/collective/setup/opened_call.hpp>
#include <papilio/collective/setup/planned_call.hpp>
#include <papilio/sim/world.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::test {

/// Which peers of a simulated network hear heartbeats of which: every one, up to some time. They
/// are no messages, since those of the simulator wait for all that was sent before them.
class heartbeats {
public:
    heartbeats(int peers, std::optional<duration> every)
        : every_(every), peers_(peers), ends_(detail::index(peers * peers), time_point::max())
    {
    }

    std::optional<duration> every() const { return every_; }

    /// From now on `to` hears no more of `from`.
    void end(int from, int to, time_point now)
    {
        auto& last = ends_[index_of(from, to)];
        last = std::min(last, now);
    }

    /// The last one by `now`.
    time_point last(int from, int to, time_point now) const
    {
        if (!every_) return time_point::min();
        const auto until = std::min(now, ends_[index_of(from, to)]);
        return until == time_point::min() ? until : until - until.time_since_epoch() % *every_;
    }

private:
    std::size_t index_of(int from, int to) const { return detail::index(from * peers_ + to); }

    std::optional<duration> every_;
    int peers_;
    std::vector<time_point> ends_;
};

/// A simulated transport with heartbeats, if told so, which may hang: then it sends nothing more,
/// but for these.
class beating {
public:
    beating(sim::transport& net, sim::world& world, const heartbeats& beats, const gate& hung)
        : net_(net), world_(world), beats_(beats), hung_(hung)
    {
    }

    int rank() const { return net_.rank(); }
    int size() const { return net_.size(); }
    task<> send(int peer, tag t, bytes message)
    {
        if (hung_.is_open()) {
            co_await sleep_until(time_point::max());
        }
        co_await net_.send(peer, t, message);
    }
    task<std::size_t> recv(int peer, tag t, mutable_bytes into) { return net_.recv(peer, t, into); }
    bool post(int peer, tag t, bytes message) { return net_.post(peer, t, message); }
    call_numbers& calls() { return net_.calls(); }
    void begin_call(tag t) { net_.begin_call(t); }
    void discard_call(tag t) { net_.discard_call(t); }
    time_point last_heard(int peer)
    {
        return std::max(net_.last_heard(peer), beats_.last(peer, rank(), world_.now()));
    }
    duration round_trip(int peer) { return net_.round_trip(peer); }
    std::optional<duration> heartbeat() const { return beats_.every(); }

private:
    sim::transport& net_;
    sim::world& world_;
    const heartbeats& beats_;
    const gate& hung_;
};

/// Peer `by` has found peer `whom` overdue; -1: somebody, it is not known who.
struct complaint {
    int by;
    int whom;
    time_point when;
};

class watched_call {
public:
    struct setting {
        sim::weather weather{};
        call_options options{};
        std::size_t elements = std::size_t{1} << 20;
        std::optional<duration> heartbeat{};
        std::vector<duration> late{};  ///< by rank, how late it begins the call; empty: nobody is
    };

    explicit watched_call(setting s)
        : setting_(std::move(s)),
          world_(setting_.weather),
          beats_(world_.size(), setting_.heartbeat),
          hung_(detail::index(world_.size()))
    {
    }

    sim::world& world() { return world_; }

    /// Nothing of `rank` arrives any more, and no link closes.
    void stop(int rank)
    {
        world_.silence(rank);
        for (int other = 0; other < world_.size(); ++other) {
            beats_.end(rank, other, world_.now());
            beats_.end(other, rank, world_.now());
        }
    }

    /// Nothing that `from` sends arrives at `to` any more.
    void cut(int from, int to)
    {
        world_.cut(from, to);
        beats_.end(from, to, world_.now());
    }

    /// `rank` sends no more messages, but its loop runs, and sends heartbeats.
    void hang(int rank) { hung_[detail::index(rank)].open(); }

    /// The loop of `rank` has not run since the world began.
    void block(int rank)
    {
        for (int other = 0; other < world_.size(); ++other)
            beats_.end(rank, other, time_point::min());
    }

    /// How long to wait before `action` is taken, unless the call is over.
    void at(duration when, std::function<void()> action)
    {
        actions_.emplace_back(when, std::move(action));
    }

    /// Runs the call on all peers until each of them has ended it.
    void run()
    {
        std::vector<task<>> acts;
        acts.push_back(run_all());
        for (auto& [when, action] : actions_) acts.push_back(act(when, action));
        sync_wait(world_, first(std::move(acts)));
    }

    /// In the order of time.
    const std::vector<complaint>& complaints() const { return complaints_; }

    /// How many peers have ended the call in success.
    int successes() const { return successes_; }

    /// When the first peer was done.
    time_point ended() const { return ended_; }

private:
    struct listener final : detail::overdue_listener {
        void overdue(int peer) override
        {
            call->complaints_.push_back({me, peer, call->world_.now()});
        }
        void nobody_to_blame() override
        {
            call->complaints_.push_back({me, -1, call->world_.now()});
        }
        watched_call* call = nullptr;
        int me = 0;
    };

    static task<> first(std::vector<task<>> acts)
    {
        task<> calls = std::move(acts.front());
        acts.erase(acts.begin());
        acts.push_back(never());
        co_await when_any(std::move(calls), together(std::move(acts)));
    }
    static task<> together(std::vector<task<>> acts) { co_await when_all(std::move(acts)); }
    static task<> never() { co_await sleep_until(time_point::max()); }

    static task<> act(duration when, std::function<void()>& action)
    {
        co_await sleep_for(when);
        action();
    }

    task<> run_all()
    {
        std::vector<task<>> peers;
        for (int rank = 0; rank < world_.size(); ++rank) peers.push_back(live(rank));
        co_await when_all(std::move(peers));
    }

    task<> live(int rank)
    {
        beating net(world_.peer(rank), world_, beats_, hung_[detail::index(rank)]);
        co_await take_part(net);
    }

    task<> take_part(beating& net)
    {
        if (!setting_.late.empty()) {
            co_await sleep_for(setting_.late[detail::index(net.rank())]);
        }
        try {
            co_await reduce(net);
            if (successes_++ == 0) ended_ = world_.now();
        } catch (const std::system_error&) {
            // Who was overdue has been told by then, or is not.
        }
    }

    task<> reduce(beating& net)
    {
        const std::vector<float> in(setting_.elements, 1.f);
        std::vector<float> out(setting_.elements);
        const auto data = detail::make_call_data<float>(std::span<const float>(in),
                                                        std::span<float>(out), sum{}, identity{});
        const any_transport any(net);
        const detail::opened_call opened(any, setting_.options);
        const auto planned =
            detail::plan_all_reduce_apart(any, opened, *data, setting_.options, false);
        detail::call_run call(any, planned.described, planned.plan, world_.now(),
                              setting_.options.timeout);
        detail::butterfly_engine engine(call, planned.plan, detail::phases::both, *data, nullptr);
        listener to;
        to.call = this;
        to.me = net.rank();
        auto contributions = detail::contributions_to(net.rank(), planned.plan, {});
        co_await when_any(ended(call, engine), detail::watch_progress(call.io(), to, {}, nullptr,
                                                                      std::move(contributions)));
    }

    static task<> ended(detail::call_run& call, detail::butterfly_engine& engine)
    {
        task<report> voted = call.run(engine.move(), engine.serve_observers());
        co_await std::move(voted);
    }

    setting setting_;
    sim::world world_;
    heartbeats beats_;
    std::deque<gate> hung_;
    std::vector<std::pair<duration, std::function<void()>>> actions_;
    std::vector<complaint> complaints_;
    int successes_ = 0;
    time_point ended_{};
};

}  // namespace papilio::test
