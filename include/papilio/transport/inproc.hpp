#pragma once

#include <papilio/transport/mailbox.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace papilio::inproc {

class group;

/// One peer of a group within this process.
class transport {
public:
    int rank() const noexcept { return rank_; }
    int size() const noexcept;

    task<> send(int peer, tag t, bytes message);
    task<std::size_t> recv(int peer, tag t, mutable_bytes into)
    {
        co_return co_await inbox_.take(peer, t, into);
    }

    std::uint32_t next_call() noexcept { return ++calls_; }
    void retire(tag t) { inbox_.discard_call(t); }
    duration round_trip(int) const noexcept { return {}; }

    /// Leaves the group: the others' receives from this peer fail with `errc::disconnected`.
    void close();

private:
    friend class group;

    struct letter {
        int from;
        tag what;
        std::vector<std::byte> content;
        bool last = false;
    };

    /// Fires on the peer's own loop when others have left letters.
    struct doorbell final : event {
        explicit doorbell(transport& o) : owner(o) {}
        void fire() override { owner.collect(); }
        transport& owner;
    };

    transport(group& g, int rank, loop& on) : group_(g), rank_(rank), loop_(on) {}

    void put(letter l);
    void collect();

    group& group_;
    int rank_;
    loop& loop_;
    mailbox inbox_;
    std::uint32_t calls_ = 0;

    std::mutex mutex_;  // guards what follows: letters come from other threads
    std::vector<letter> letters_;
    doorbell bell_{*this};
    bool rung_ = false;
};

/// Peers within one process, each on a loop of its own or several on one; loops may run in
/// different threads. Messages are copied once on the way; those for a peer whose loop stands still
/// wait in memory. Must outlive all tasks that use it, and is destroyed when none of its loops runs
/// any more.
class group {
public:
    /// `size` peers on one loop.
    group(int size, loop& on) : group(std::vector<loop*>(static_cast<std::size_t>(size), &on)) {}

    /// One peer on each of `loops`.
    explicit group(std::vector<loop*> loops) : loops_(std::move(loops))
    {
        for (std::size_t rank = 0; rank < loops_.size(); ++rank)
            peers_.emplace_back(new transport(*this, static_cast<int>(rank), *loops_[rank]));
        if (threaded())
            for (auto* on : loops_) on->work_started();
    }
    group(const group&) = delete;
    group& operator=(const group&) = delete;
    ~group()
    {
        if (threaded())
            for (auto* on : loops_) on->work_finished();
    }

    transport& peer(int rank) { return *peers_.at(static_cast<std::size_t>(rank)); }
    int size() const noexcept { return static_cast<int>(peers_.size()); }

private:
    /// With several loops, each waits for the others' letters; alone, a loop knows a deadlock.
    bool threaded() const
    {
        return std::ranges::adjacent_find(loops_, std::ranges::not_equal_to{}) != loops_.end();
    }

    std::vector<loop*> loops_;
    std::vector<std::unique_ptr<transport>> peers_;
};

inline int transport::size() const noexcept
{
    return group_.size();
}

inline task<> transport::send(int peer, tag t, bytes message)
{
    group_.peer(peer).put({rank_, t, {message.begin(), message.end()}});
    co_return;
}

inline void transport::close()
{
    for (int peer = 0; peer < size(); ++peer)
        if (peer != rank_) group_.peer(peer).put({rank_, tag{}, {}, true});
}

inline void transport::put(letter l)
{
    const std::lock_guard lock(mutex_);
    letters_.push_back(std::move(l));
    if (!std::exchange(rung_, true)) loop_.post_from_any_thread(bell_);
}

inline void transport::collect()
{
    std::vector<letter> letters;
    {
        const std::lock_guard lock(mutex_);
        letters.swap(letters_);
        rung_ = false;
    }
    for (const auto& l : letters) {
        if (l.last) {
            inbox_.close(l.from, errc::disconnected);
            continue;
        }
        try {
            inbox_.deliver(l.from, l.what, l.content);
        } catch (const std::system_error& overflow) {
            inbox_.close(l.from, overflow.code());
        }
    }
}

}  // namespace papilio::inproc
