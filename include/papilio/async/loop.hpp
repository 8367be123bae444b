#pragma once

#include <papilio/async/event.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// A single-threaded event loop. Every papilio object belongs to one loop and is touched only from
/// the thread that runs it; the exceptions are `post_from_any_thread` and what is built on it,
/// `spawn` and `offload`. Real and simulated loops differ in two functions: what time it is, and
/// how to wait when no event is ready.
class loop {
public:
    loop() = default;
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    virtual ~loop()
    {
        PAPILIO_CHECK(!spawned_, "a loop's destructor must begin with drop_spawned()");
        while (!ready_.empty()) ready_.front()->cancel();
        while (!timers_.empty()) timers_.begin()->second.front()->cancel();
        while (!remote_queue_.empty()) remote_queue_.front()->cancel();
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

    /// Posts `e` from another thread: it fires on the loop's thread soon. `e` must not be posted
    /// already, and must live until it has fired or is cancelled there.
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

    /// While work from other threads is pending, the loop blocks instead of reporting a deadlock.
    /// Every `work_started` is followed by one `work_finished`. From any thread.
    void work_started() noexcept { outstanding_work_.fetch_add(1, std::memory_order_relaxed); }
    void work_finished() noexcept { outstanding_work_.fetch_sub(1, std::memory_order_relaxed); }

    /// Runs one event, waiting for it if need be. Returns false when no event can ever come: a
    /// deadlock.
    bool run_one()
    {
        if (turn_ == 0 || ready_.empty()) {
            if (!begin_turn()) return false;
        }
        --turn_;
        event& e = *ready_.front();
        e.cancel();
        e.fire();
        return true;
    }

    /// A task that `spawn` started. The loop owns it until it ends, at the latest until the loop
    /// itself is destroyed.
    class spawned {
    public:
        virtual ~spawned() = default;

    private:
        friend class loop;
        spawned* before_ = nullptr;
        spawned* after_ = nullptr;
    };

    /// Takes ownership of `s`. From any thread.
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

    /// Drops the tasks that `spawn` started. Every derived destructor must call it first, while the
    /// sockets and threads that those tasks wait for still exist.
    void drop_spawned() noexcept
    {
        while (spawned_) dismiss(spawned_);
    }

private:
    friend class event;

    /// Waits for input, but not beyond `until`: `min()` means to poll only, `max()` that no timer
    /// is pending. Returns false if the wait could never end.
    virtual bool idle(time_point until) = 0;

    /// Makes a waiting `idle` return. Called from any thread.
    virtual void wake() noexcept {}

    bool begin_turn();
    void drain_remote_queue() noexcept;
    void post_due_timers();

    detail::event_list ready_;
    std::map<time_point, detail::event_list> timers_;  // each holds at least one event
    int turn_ = 0;                                     // events until input is polled next
    spawned* spawned_ = nullptr;                       // the first of a list

    std::mutex remote_mutex_;  // guards the remote queue and the list of spawned tasks
    detail::event_list remote_queue_;
    std::atomic<bool> remote_posted_{false};
    std::atomic<int> outstanding_work_{0};
};

/// Makes sure that an event is ready, and that input is polled every so often even if events never
/// cease.
inline bool loop::begin_turn()
{
    constexpr int events_per_turn = 64;
    if (turn_ == 0) {
        idle(time_point::min());
        turn_ = events_per_turn;
    }
    for (;;) {
        drain_remote_queue();
        post_due_timers();
        if (!ready_.empty()) return true;
        const auto until = timers_.empty() ? time_point::max() : timers_.begin()->first;
        if (!idle(until)) return false;
        turn_ = events_per_turn;
    }
}

inline void loop::drain_remote_queue() noexcept
{
    if (!remote_posted_.load(std::memory_order_acquire)) return;
    const std::lock_guard lock(remote_mutex_);
    remote_posted_.store(false, std::memory_order_relaxed);
    while (!remote_queue_.empty()) {
        event& e = *remote_queue_.front();
        remote_queue_.remove(e);
        e.where_ = event::queue::ready;
        ready_.append(e);
    }
}

inline void loop::post_due_timers()
{
    if (timers_.empty()) return;
    const auto time = now();
    while (!timers_.empty() && timers_.begin()->first <= time)
        post(*timers_.begin()->second.front());
}

inline void event::cancel() noexcept
{
    switch (std::exchange(where_, queue::none)) {
    case queue::none: break;
    case queue::ready: owner_->ready_.remove(*this); break;
    case queue::timed: {
        const auto due = owner_->timers_.find(due_);
        due->second.remove(*this);
        if (due->second.empty()) owner_->timers_.erase(due);
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
