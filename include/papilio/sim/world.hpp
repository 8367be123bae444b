#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>
#include <papilio/base/saturate.hpp>
#include <papilio/sim/carried_message.hpp>
#include <papilio/sim/transport.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/mailbox.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::sim {

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

    /// How often peers let each other know that they live; 0: by their messages alone.
    duration heartbeat = {};

    /// What a peer keeps for each other one before a receive, in bytes; at least 64 KiB.
    std::size_t early_limit = mailbox::default_limit;
};

/// A whole cluster in one thread and in virtual time. The same seed gives the same run, event for
/// event, on every machine.
class world final : public loop {
public:
    explicit world(weather w = {});
    ~world() override;

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

    /// Where the tasks of `rank` run if it is to be stopped by itself: a loop that the world turns.
    /// Whatever runs on the world itself is never stopped.
    loop& process(int rank);

    // What can befall peers. Each verb may be called at any time, also while others last. What
    // stops or cuts twice has to be ended twice.

    /// The process of `rank` dies: what it has sent still arrives, and then its links close. Drop
    /// the tasks that ran there.
    void kill(int rank);
    bool is_dead(int rank) const { return peers_.at(static_cast<std::size_t>(rank))->dead_; }

    /// Another process takes the place of one that was killed: `peer(rank)` from now on, which
    /// knows nothing of what was before. The links to it come back. The transport of the one
    /// before stays where it is, and is dead.
    void restart(int rank);

    /// The process of `rank` stands still: nothing on its loop runs, and nothing reaches it.
    void stop(int rank);
    bool is_stopped(int rank) const { return stopped_.at(static_cast<std::size_t>(rank)) > 0; }

    /// It goes on: what has come meanwhile arrives, and what was due there is late.
    void go_on(int rank);

    /// `rank` stops for good, or its cable is pulled: nothing it sends arrives any more, and no
    /// link closes.
    void silence(int rank);

    /// The whole program does not run for this time, as if it were stopped or its machine slept:
    /// what was due meanwhile comes afterwards, at once and in order.
    void stand_still(duration d) { now_ += d; }

    /// The access of `rank` becomes another, for the rest of what is on its way through it, too.
    void reshape(int rank, access a);
    access access_of(int rank) { return peer(rank).access_; }

    /// What `from` sends to `to` takes `longer`, and each message up to `spread` more, so that
    /// those under different tags overtake each other. Zeros end it.
    void clog(int from, int to, duration longer, duration spread = {});

    /// Nothing that `from` sends to `to` arrives any more. The way back still works.
    void cut(int from, int to);

    /// It arrives again, and so does what was sent meanwhile: it was only sent in vain.
    void heal(int from, int to);

    /// A bit changes of the next data of a call that comes from `from` to `to`, behind whatever
    /// checks a transport may make: one of the last four bytes, since those are elements.
    void flip(int from, int to);

    /// How many bits have changed by that.
    int flipped() const noexcept { return flipped_; }

    /// The link between two peers ends: what is on the way is lost, `a` is told at once and `b`
    /// when it can have heard of it.
    void drop(int a, int b);

    /// A link that was dropped comes back, between the same processes. Posts that `drop` has kept
    /// from leaving are sent.
    void connect(int a, int b);

    /// A hash of every message that has arrived: when, from whom, to whom and of what size.
    std::uint64_t trace() const noexcept { return trace_; }

    /// From now on each message is noted there, borrowed, in the order of arrival.
    void record(std::vector<carried_message>& there) { carried_ = &there; }

private:
    friend class transport;
    class process_loop;
    struct flight;

    /// What one peer sends to another, once something has befallen that.
    struct lane {
        duration longer{}, spread{};
        int cuts = 0;
        int flips = 0;           // of messages that are still to come
        bool down = false;       // the link was dropped, and is not back
        std::uint32_t link = 0;  // which one it is, of those that took each other's place
        time_point latest{};     // by then all has arrived that was launched
    };

    /// A message on its way, or, with `last`, the end of a link.
    struct flight final : event {
        void fire() override;

        world* in = nullptr;
        int from = 0;
        int to = 0;
        tag what{};
        tag order{};
        bool last = false;
        bool flies = false;
        bool landed = false;  // false: the first byte arrives; true: the last one does
        bool queued = false;  // behind those of its tag
        std::uint32_t link = 0;
        time_point sent{};
        std::size_t noted = 0;  // which one it is of those recorded, from 1 on
        time_point starts{};    // through the uplink
        duration transmission{};
        time_point first{};  // byte: when it arrives
        time_point comes{};  // through the downlink, from then on
        duration reception{};
        std::vector<std::byte> content;
    };

    /// Ends a turn of the world's loop after one of a process.
    struct turn final : event {
        void fire() override {}
    };

    /// Messages of one link under one tag, which may not overtake each other: none begins to
    /// arrive before the last byte of the one before it can have.
    struct queue {
        time_point free{};
        int count = 0;
    };

    static task<> all(std::vector<task<>> programs) { co_await when_all(std::move(programs)); }

    /// With nothing left to do now, neither here nor in a process, it is already later: this is the
    /// whole simulator of time.
    bool idle(time_point until) override;

    static duration transmission(std::size_t size, double bytes_per_second)
    {
        const auto seconds = static_cast<double>(size) / bytes_per_second;
        return saturated_seconds(seconds);
    }

    duration draw(duration below)
    {
        const auto span = static_cast<std::uint64_t>(below.count());
        return span == 0 ? duration{} : duration(static_cast<std::int64_t>(random_.below(span)));
    }

    bool is_silent(int rank) const { return silent_[static_cast<std::size_t>(rank)]; }

    lane& between(int from, int to);
    lane* befallen(int from, int to);  // or null
    bool beats(int from, int to);
    time_point last_beat() const
    {
        return time_point(now_.time_since_epoch() / heartbeat_ * heartbeat_);
    }
    void note_heartbeats();

    static void check(int rank, const access& a);
    flight& take_off(int from, int to);
    void launch(flight& f, bytes content, time_point leaves);
    time_point in_order(flight& f, time_point arrives);
    static time_point lands(const flight& f);
    template <class Passes>
    std::vector<flight*> under_way(const Passes& passes);
    void send_rest(transport& from);
    void receive_rest(transport& to);
    void leave_queue(flight& f);
    void arrive(flight& f);
    void deliver(flight& f);
    void flip_if_due(flight& f);
    void note(flight& f, bool arrived);
    void release();
    void replace_link(int a, int b);

    time_point now_{};
    duration latency_;
    duration jitter_;
    duration heartbeat_;
    bool one_host_;
    bool in_order_;  // by itself: no message is delayed more than another
    random random_;
    std::uint64_t trace_ = 0;
    int flipped_ = 0;
    std::vector<carried_message>* carried_ = nullptr;
    std::map<std::tuple<int, int, tag>, queue> queues_;
    std::vector<bool> silent_;
    std::vector<int> stopped_;                      // how often
                                                    // by rank
    std::map<std::pair<int, int>, lane> befallen_;  // by sender and receiver
    std::vector<flight*> held_;                     // have come, and cannot be delivered yet
    std::vector<std::unique_ptr<transport>> peers_, former_peers_;
    std::vector<std::unique_ptr<process_loop>> processes_;  // by rank; null: not asked for
    turn turned_;
    std::vector<std::unique_ptr<flight>> flights_;  // every flight there ever was at once
    std::vector<flight*> spare_;                    // those that have landed, for the next ones
};

}  // namespace papilio::sim

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/sim/impl/reshape.hpp>
#include <papilio/sim/impl/transport.hpp>
#include <papilio/sim/impl/world.hpp>
#endif
