#pragma once

#include <papilio/async/event.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/kept_memory.hpp>

#include <atomic>
#include <map>
#include <mutex>

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
    virtual ~loop();

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
    void post_at(event& e, time_point when);

    /// Posts `e` from another thread: it fires on the loop's thread soon. `e` must not be posted
    /// already, and must live until it has fired or is cancelled there.
    void post_from_any_thread(event& e) noexcept;

    /// While work from other threads is pending, the loop blocks instead of reporting a deadlock.
    /// Every `work_started` is followed by one `work_finished`. From any thread.
    void work_started() noexcept { outstanding_work_.fetch_add(1, std::memory_order_relaxed); }
    void work_finished() noexcept { outstanding_work_.fetch_sub(1, std::memory_order_relaxed); }

    /// Runs one event, waiting for it if need be. Returns false when no event can ever come: a
    /// deadlock.
    bool run_one();

    /// Memory that calls leave for later ones, those in place above all: no more than they had at
    /// the same time, and than 1 GiB.
    detail::kept_memory& memory() noexcept { return memory_; }

    /// Returns that memory to the system, which may also take it without being told, once it is
    /// short of memory.
    void release_memory() noexcept { memory_.release(); }

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
    void adopt(spawned* s) noexcept;

    /// Destroys `s`. On the loop's own thread.
    void dismiss(spawned* s) noexcept;

protected:
    bool has_outstanding_work() const noexcept
    {
        return outstanding_work_.load(std::memory_order_relaxed) > 0;
    }

    /// Whether other threads have posted events that are not in the queue yet.
    bool has_remote_events() const noexcept
    {
        return remote_posted_.load(std::memory_order_relaxed);
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

    /// Makes sure that an event is ready, and that input is polled every so often even if events
    /// never cease.
    bool begin_turn();
    void drain_remote_queue() noexcept;
    void post_due_timers();

    detail::event_list ready_;
    std::map<time_point, detail::event_list> timers_;  // each holds at least one event
    int turn_ = 0;                                     // events until input is polled next
    spawned* spawned_ = nullptr;                       // the first of a list
    detail::kept_memory memory_;

    std::mutex remote_mutex_;  // guards the remote queue and the list of spawned tasks
    detail::event_list remote_queue_;
    std::atomic<bool> remote_posted_{false};
    std::atomic<int> outstanding_work_{0};
};

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/async/impl/loop.hpp>
#endif
