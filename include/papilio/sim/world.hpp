#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>
#include <papilio/base/saturate.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/call_numbers.hpp>
#include <papilio/transport/detail/message_flow.hpp>
#include <papilio/transport/mailbox.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::sim {

/// What one peer's access to the network is like.
struct access {
    double up_bytes_per_second = 12.5e6;
    double down_bytes_per_second = 12.5e6;
};

/// What the simulated network is like. Every peer has one uplink and one downlink of its own, and
/// every message takes `latency` plus up to `jitter` from one to the other. Anything that cannot
/// be makes the world's constructor throw `errc::bad_argument`.
struct weather {
    std::uint64_t seed = 1;
    int peers = 2;
    duration latency = std::chrono::milliseconds(10);
    duration jitter = {};
    access all = {};                    ///< what every peer has
    std::span<const access> each = {};  ///< or what each peer has; borrowed by the constructor

    bool one_host = false;  ///< what peers say of each other: whether they share a host

    /// What a peer keeps for each other one before a receive, in bytes; at least 64 KiB.
    std::size_t early_limit = mailbox::default_limit;
};

class world;

/// One peer's view of a simulated network.
class transport : detail::message_carrier {
public:
    transport(world& w, int rank, access a, int peers, std::size_t early_limit);

    int rank() const noexcept { return rank_; }
    int size() const noexcept;

    /// Done when the last byte has left the uplink.
    task<> send(int peer, tag t, bytes message);
    bool post(int peer, tag t, bytes message);

    task<std::size_t> recv(int peer, tag t, mutable_bytes into)
    {
        co_return co_await inbox_.take(peer, t, into);
    }

    call_numbers& calls() noexcept { return calls_; }
    void begin_call(tag t) { inbox_.begin_call(t); }
    void discard_call(tag t) { flow_.discard_call(t); }
    bool watch_call(tag t, gate& heard)
    {
        inbox_.watch_call(t, heard);
        return true;
    }
    void unwatch_call(const gate& heard) noexcept { inbox_.unwatch_call(heard); }
    void leave_answer(tag t, std::vector<std::byte> answer)
    {
        inbox_.leave_answer(t, std::move(answer));
    }
    std::size_t most_early_bytes() const noexcept { return inbox_.most_held(); }
    time_point last_heard(int peer) const { return heard_.at(static_cast<std::size_t>(peer)); }
    duration round_trip(int peer) const noexcept;
    task<bool> shares_host(int) const;

private:
    friend class world;

    void launch(int peer, tag what, bytes content, tag order) override;

    world& world_;
    int rank_;
    access access_;
    time_point uplink_free_{};
    time_point downlink_free_{};
    call_numbers calls_;
    std::vector<time_point> heard_;
    mailbox inbox_;
    detail::message_flow flow_;
};

/// A whole cluster in one thread and in virtual time. The same seed gives the same run, event for
/// event, on every machine.
class world final : public loop {
public:
    explicit world(weather w = {});
    ~world() override { drop_spawned(); }

    time_point now() const noexcept override { return now_; }
    int size() const noexcept { return static_cast<int>(peers_.size()); }
    transport& peer(int rank) { return *peers_.at(static_cast<std::size_t>(rank)); }

    /// Runs `program(net)` as every peer until all of them are done; throws the first failure.
    template <class Program>
    void run(Program program)
    {
        std::vector<task<>> programs;
        for (auto& net : peers_) programs.push_back(program(*net));
        sync_wait(*this, all(std::move(programs)));
    }

    /// The process of `rank` dies: what it has sent still arrives, and then its links close.
    void kill(int rank);

    /// `rank` stops, or its cable is pulled: nothing it sends arrives any more, and no link closes.
    void silence(int rank) { silent_.at(static_cast<std::size_t>(rank)) = true; }

    /// The whole program does not run for this time, as if it were stopped or its machine slept:
    /// what was due meanwhile comes afterwards, at once and in order.
    void stand_still(duration d) { now_ += d; }

    /// The access of `rank` becomes another; what is under way keeps the time that it was given.
    void reshape(int rank, access a);

    /// Nothing that `from` sends to `to` arrives any more. The way back still works.
    void cut(int from, int to) { cut_.emplace_back(from, to); }

    /// A hash of every message that has arrived: when, from whom, to whom and of what size.
    std::uint64_t trace() const noexcept { return trace_; }

private:
    friend class transport;

    /// A message on its way, or, with `last`, the end of a link.
    struct flight final : event {
        void fire() override;

        world* in = nullptr;
        int from = 0;
        int to = 0;
        tag what{};
        tag order{};
        bool last = false;
        bool landed = false;  // false: the first byte arrives; true: the last one does
        duration transmission{};
        std::vector<std::byte> content;
    };

    /// Messages of one link under one tag, which may not overtake each other: none begins to
    /// arrive before the last byte of the one before it can have.
    struct queue {
        time_point free{};
        int count = 0;
    };

    static task<> all(std::vector<task<>> programs) { co_await when_all(std::move(programs)); }

    /// With nothing left to do now, it is already later: this line is the whole simulator of time.
    bool idle(time_point until) override
    {
        if (until != time_point::max()) now_ = std::max(now_, until);
        return until != time_point::max();
    }

    static duration transmission(std::size_t size, double bytes_per_second)
    {
        const auto seconds = static_cast<double>(size) / bytes_per_second;
        return saturated_seconds(seconds);
    }

    duration delay()
    {
        const auto span = static_cast<std::uint64_t>(jitter_.count());
        if (span == 0) return latency_;
        return latency_ + duration(static_cast<std::int64_t>(random_.below(span)));
    }

    bool is_dead(int rank) const { return dead_[static_cast<std::size_t>(rank)]; }

    bool hears(int to, int from) const
    {
        return !silent_[static_cast<std::size_t>(from)] && !silent_[static_cast<std::size_t>(to)] &&
               std::ranges::find(cut_, std::pair(from, to)) == cut_.end();
    }

    static void check(int rank, const access& a);
    flight& take_off(int from, int to);
    void launch(flight& f, bytes content, time_point leaves);
    time_point in_order(const flight& f, time_point arrives);
    void arrive(flight& f);

    time_point now_{};
    duration latency_;
    duration jitter_;
    bool one_host_;
    random random_;
    std::uint64_t trace_ = 0;
    std::map<std::tuple<int, int, tag>, queue> under_way_;
    std::vector<bool> silent_, dead_;  // by rank
    std::vector<std::pair<int, int>> cut_;
    std::vector<std::unique_ptr<transport>> peers_;
    std::vector<std::unique_ptr<flight>> flights_;  // every flight there ever was at once
    std::vector<flight*> spare_;                    // those that have landed, for the next ones
};

}  // namespace papilio::sim

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/sim/impl/world.hpp>
#endif
