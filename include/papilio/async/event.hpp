#pragma once

#include <papilio/base/config.hpp>

#include <chrono>

namespace papilio::inline PAPILIO_MODE {

using duration = std::chrono::nanoseconds;

/// Nanoseconds since the loop began. One type for wall time and for simulated time, so that
/// protocol code cannot tell which one it runs in.
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

/// The time `by` after `from`; beyond the end of the clock, its end. So the longest duration, as a
/// limit, is none.
constexpr time_point later(time_point from, duration by) noexcept
{
    return by > time_point::max() - from ? time_point::max() : from + by;
}

class loop;

namespace detail {
class event_list;
}

/// A callback that a loop runs once. An event lives inside the object that waits for it, and leaves
/// the loop's queues when that object dies: dropping a wait cancels it.
class event {
public:
    event() = default;
    event(const event&) = delete;
    event& operator=(const event&) = delete;
    virtual ~event() { cancel(); }

    /// Removes the event from the queue it is in, if any. Only on the loop's own thread; for an
    /// event that another thread posts, only once that thread is known to have posted it.
    void cancel() noexcept
    {
        if (where_ != queue::none) leave_queue();
    }

private:
    friend class loop;
    friend class detail::event_list;
    enum class queue { none, ready, timed, remote };

    virtual void fire() = 0;

    /// Defined with the loop.
    void leave_queue() noexcept;

    loop* owner_ = nullptr;
    queue where_ = queue::none;
    event* before_ = nullptr;
    event* after_ = nullptr;
    time_point due_{};  // while it is timed
};

namespace detail {

/// Events in a row, linked through themselves, so that posting one allocates nothing.
class event_list {
public:
    event* front() const noexcept { return first_; }
    bool empty() const noexcept { return !first_; }

    void append(event& e) noexcept
    {
        e.before_ = last_;
        e.after_ = nullptr;
        (last_ ? last_->after_ : first_) = &e;
        last_ = &e;
    }

    /// Removes `e`, which must be in this list.
    void remove(event& e) noexcept
    {
        (e.before_ ? e.before_->after_ : first_) = e.after_;
        (e.after_ ? e.after_->before_ : last_) = e.before_;
    }

private:
    event* first_ = nullptr;
    event* last_ = nullptr;
};

}  // namespace detail

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/async/loop.hpp>  // whose end defines `event::leave_queue`
#endif
