#pragma once

#include <papilio/base/config.hpp>
#include <papilio/transport/mailbox.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace papilio::inline PAPILIO_MODE::inproc {

class group;

/// One peer of a group within this process.
class transport {
public:
    int rank() const noexcept { return rank_; }
    int size() const noexcept;

    task<> send(int peer, tag t, bytes content);
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

    struct message {
        int from;
        tag what;
        std::vector<std::byte> content;
        bool last = false;
    };

    /// Fires on the peer's own loop after others have queued messages.
    struct arrival final : event {
        explicit arrival(transport& o) : owner(o) {}
        void fire() override { owner.deliver_queued(); }
        transport& owner;
    };

    transport(group& g, int rank, loop& on) : group_(g), rank_(rank), loop_(on) {}

    void enqueue(message m);
    void deliver_queued();

    group& group_;
    int rank_;
    loop& loop_;
    mailbox inbox_;
    std::uint32_t calls_ = 0;

    std::mutex mutex_;  // guards the members below, which other threads use
    std::vector<message> queue_;
    arrival arrival_{*this};
    bool posted_ = false;
};

/// Peers within one process, each on a loop of its own or several on one; loops may run in
/// different threads. Messages are copied once; those for a peer whose loop does not run are kept,
/// without a limit. Must outlive all tasks that use it, and must be destroyed when none of its
/// loops runs any more.
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
    /// Several loops wait for each other's messages; a single loop can report a deadlock.
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

inline task<> transport::send(int peer, tag t, bytes content)
{
    group_.peer(peer).enqueue({rank_, t, {content.begin(), content.end()}});
    co_return;
}

inline void transport::close()
{
    for (int peer = 0; peer < size(); ++peer)
        if (peer != rank_) group_.peer(peer).enqueue({rank_, tag{}, {}, true});
}

inline void transport::enqueue(message m)
{
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(m));
    if (!std::exchange(posted_, true)) loop_.post_from_any_thread(arrival_);
}

inline void transport::deliver_queued()
{
    std::vector<message> arrived;
    {
        const std::lock_guard lock(mutex_);
        arrived.swap(queue_);
        posted_ = false;
    }
    for (const auto& m : arrived) {
        if (m.last) {
            inbox_.close(m.from, errc::disconnected);
            continue;
        }
        try {
            inbox_.deliver(m.from, m.what, m.content);
        } catch (const std::system_error& overflow) {
            inbox_.close(m.from, overflow.code());
        }
    }
}

}  // namespace papilio::inproc
