#pragma once

#include <papilio/base/check.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

namespace papilio {

using duration = std::chrono::nanoseconds;

/// Nanoseconds since the loop began. One type for wall time and for simulated time, so that
/// protocol code cannot tell which one it runs in.
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

class loop;

/// Something that will happen once. An event lives inside the object that waits for it and leaves
/// the loop's queues when that object dies: dropping a wait cancels it.
class event {
public:
    event() = default;
    event(const event&) = delete;
    event& operator=(const event&) = delete;
    virtual ~event() { cancel(); }

    /// Takes the event back. Only on the loop's own thread; for an event that another thread posts,
    /// only once that thread is known to have posted it.
    void cancel() noexcept;

private:
    friend class loop;
    enum class queue { none, ready, timed, remote };

    virtual void fire() = 0;

    loop* owner_ = nullptr;
    queue where_ = queue::none;
    event* before_ = nullptr;
    event* after_ = nullptr;
    time_point due_{};  // while it is timed
};

/// A single-threaded event loop. Every papilio object belongs to one loop and is touched only from
/// the thread that runs it; the exceptions are `post_from_any_thread` and what is built on it,
/// `spawn` and `offload`. Real and simulated loops differ in two functions: what time it is, and
/// what to do when there is nothing to do.
class loop {
public:
    loop() = default;
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    virtual ~loop()
    {
        PAPILIO_CHECK(!spawned_, "a loop's destructor must begin with drop_spawned()");
        while (ready_.first) ready_.first->cancel();
        while (!timers_.empty()) timers_.begin()->second.first->cancel();
        while (remote_queue_.first) remote_queue_.first->cancel();
    }

    virtual time_point now() const noexcept = 0;

    /// Fires `e` as soon as possible, after everything posted before it.
    void post(event& e) noexcept
    {
        e.cancel();
        e.owner_ = this;
        e.where_ = event::queue::ready;
        ready_.append(e);
    }

    /// Fires `e` at `when`; events due at the same time fire in the order they were posted.
    void post_at(event& e, time_point when)
    {
        e.cancel();
        timers_[when].append(e);
        e.owner_ = this;
        e.where_ = event::queue::timed;
        e.due_ = when;
    }

    /// The door into the loop from other threads: fires `e` on the loop's thread soon. `e` must
    /// not be posted already, and must live until it has fired or is cancelled there.
    void post_from_any_thread(event& e) noexcept
    {
        {
            const std::lock_guard lock(remote_mutex_);
            e.owner_ = this;
            e.where_ = event::queue::remote;
            remote_queue_.append(e);
            remote_posted_.store(true, std::memory_order_release);
        }
        wake();
    }

    /// While somebody is expected at the door, the loop waits for them instead of concluding that
    /// nothing can ever happen again. From any thread.
    void work_started() noexcept { outstanding_work_.fetch_add(1, std::memory_order_relaxed); }
    void work_finished() noexcept { outstanding_work_.fetch_sub(1, std::memory_order_relaxed); }

    /// Runs one event, waiting for it if need be. Returns false if nothing can ever happen again.
    bool run_one()
    {
        if (turn_ == 0 || !ready_.first) {
            if (!begin_turn()) return false;
        }
        --turn_;
        event& e = *ready_.first;
        e.cancel();
        e.fire();
        return true;
    }

    /// Owns what `spawn` started until it ends; whatever is left dies with the loop.
    class spawned {
    public:
        virtual ~spawned() = default;

    private:
        friend class loop;
        spawned* before_ = nullptr;
        spawned* after_ = nullptr;
    };

    /// From any thread.
    void adopt(spawned* s) noexcept
    {
        const std::lock_guard lock(remote_mutex_);
        s->after_ = spawned_;
        if (spawned_) spawned_->before_ = s;
        spawned_ = s;
    }

    /// Destroys `s`. On the loop's own thread.
    void dismiss(spawned* s) noexcept
    {
        {
            const std::lock_guard lock(remote_mutex_);
            (s->before_ ? s->before_->after_ : spawned_) = s->after_;
            if (s->after_) s->after_->before_ = s->before_;
        }
        delete s;
    }

protected:
    bool has_outstanding_work() const noexcept
    {
        return outstanding_work_.load(std::memory_order_relaxed) > 0;
    }

    /// Drops the tasks that `spawn` started. The first act of every derived destructor, while what
    /// those tasks wait for still exists.
    void drop_spawned() noexcept
    {
        while (spawned_) dismiss(spawned_);
    }

private:
    friend class event;

    struct list {
        void append(event& e) noexcept
        {
            e.before_ = last;
            e.after_ = nullptr;
            (last ? last->after_ : first) = &e;
            last = &e;
        }
        void remove(event& e) noexcept
        {
            (e.before_ ? e.before_->after_ : first) = e.after_;
            (e.after_ ? e.after_->before_ : last) = e.before_;
        }

        event* first = nullptr;
        event* last = nullptr;
    };

    /// Waits for the outside world, but not beyond `until`: `min()` asks for a glance, `max()`
    /// says that no timer is pending. Returns false if the wait can never end.
    virtual bool idle(time_point until) = 0;

    /// Makes a waiting `idle` return. Called from any thread.
    virtual void wake() noexcept {}

    /// Makes sure that an event is ready, and that the outside world is heard every so often even
    /// if events never cease.
    bool begin_turn()
    {
        constexpr int turn = 64;
        if (turn_ == 0) {
            idle(time_point::min());
            turn_ = turn;
        }
        for (;;) {
            drain_remote_queue();
            collect_due();
            if (ready_.first) return true;
            const auto until = timers_.empty() ? time_point::max() : timers_.begin()->first;
            if (!idle(until)) return false;
            turn_ = turn;
        }
    }

    void drain_remote_queue() noexcept
    {
        if (!remote_posted_.load(std::memory_order_acquire)) return;
        const std::lock_guard lock(remote_mutex_);
        remote_posted_.store(false, std::memory_order_relaxed);
        while (remote_queue_.first) {
            event& e = *remote_queue_.first;
            remote_queue_.remove(e);
            e.where_ = event::queue::ready;
            ready_.append(e);
        }
    }

    void collect_due()
    {
        if (timers_.empty()) return;
        const auto time = now();
        while (!timers_.empty() && timers_.begin()->first <= time)
            post(*timers_.begin()->second.first);
    }

    list ready_;
    std::map<time_point, list> timers_;  // each holds at least one event
    int turn_ = 0;                       // events until the next glance at the outside world
    spawned* spawned_ = nullptr;

    std::mutex remote_mutex_;
    list remote_queue_;
    std::atomic<bool> remote_posted_{false};
    std::atomic<int> outstanding_work_{0};
};

inline void event::cancel() noexcept
{
    switch (std::exchange(where_, queue::none)) {
    case queue::none: break;
    case queue::ready: owner_->ready_.remove(*this); break;
    case queue::timed: {
        const auto due = owner_->timers_.find(due_);
        due->second.remove(*this);
        if (!due->second.first) owner_->timers_.erase(due);
        break;
    }
    case queue::remote: {
        const std::lock_guard lock(owner_->remote_mutex_);
        owner_->remote_queue_.remove(*this);
        break;
    }
    }
}

}  // namespace papilio
