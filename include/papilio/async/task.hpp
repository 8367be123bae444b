#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/small_memory.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

template <class T = void>
class task;

namespace detail {

/// Resumes a suspended coroutine.
struct resume final : event {
    std::coroutine_handle<> target;
    void fire() override { target.resume(); }
};

struct promise_base {
    loop* on = nullptr;     // where this coroutine runs; inherited from the awaiting coroutine
    event* done = nullptr;  // posted when it finishes
    std::exception_ptr error;

    static void* operator new(std::size_t size) { return small_memory::take(size); }
    static void operator delete(void* frame, std::size_t size) noexcept
    {
        small_memory::give(frame, size);
    }

    std::suspend_always initial_suspend() noexcept { return {}; }

    // The parent is resumed by the loop, never by symmetric transfer: GCC makes those tail calls
    // only at -O2, so a long run of ready awaits would otherwise overflow a debug build's stack.
    struct finish {
        bool await_ready() noexcept { return false; }
        template <class P>
        void await_suspend(std::coroutine_handle<P> self) noexcept
        {
            auto& promise = self.promise();
            if (promise.done) promise.on->post(*promise.done);
        }
        void await_resume() noexcept {}
    };
    finish final_suspend() noexcept { return {}; }

    void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
struct promise : promise_base {
    std::optional<T> value;

    task<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& result)
    {
        value.emplace(std::forward<U>(result));
    }

    T take()
    {
        if (error) std::rethrow_exception(error);
        return std::move(*value);
    }
};

template <>
struct promise<void> : promise_base {
    task<void> get_return_object() noexcept;
    void return_void() noexcept {}

    void take()
    {
        if (error) std::rethrow_exception(error);
    }
};

}  // namespace detail

/// Asynchronous work that starts when it is awaited. Await it inside another task, pass it to
/// `sync_wait` to block, or to `spawn` for a future. Destroying a task, finished or not, destroys
/// everything that it awaits: that is how work is cancelled.
template <class T>
class [[nodiscard]] task {
public:
    using promise_type = detail::promise<T>;
    using value_type = T;

    explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
    task(task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
    task& operator=(task&& other) noexcept
    {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~task()
    {
        if (frame_) frame_.destroy();
    }

    /// Starts to run on `l`; `done`, if given, is posted there when the task finishes.
    void start(loop& l, event* done = nullptr)
    {
        frame_.promise().on = &l;
        frame_.promise().done = done;
        frame_.resume();
    }
    bool finished() const noexcept { return frame_.done(); }
    bool failed() const noexcept { return finished() && frame_.promise().error; }

    /// Returns what the finished task returned; throws what it threw.
    T result() { return frame_.promise().take(); }

    auto operator co_await() && noexcept { return awaiter{*this}; }
    auto operator co_await() & noexcept { return awaiter{*this}; }

private:
    struct awaiter {
        explicit awaiter(task& t) noexcept : child(t) {}
        bool await_ready() const noexcept { return false; }
        template <class P>
        void await_suspend(std::coroutine_handle<P> parent)
        {
            wake.target = parent;
            child.start(*parent.promise().on, &wake);
        }
        T await_resume() { return child.result(); }

        task& child;
        detail::resume wake;
    };

    std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
task<T> promise<T>::get_return_object() noexcept
{
    return task<T>{std::coroutine_handle<promise>::from_promise(*this)};
}

inline task<void> promise<void>::get_return_object() noexcept
{
    return task<void>{std::coroutine_handle<promise>::from_promise(*this)};
}

}  // namespace detail

/// Awaiting it gives the loop that the current task runs on: `loop& on = co_await this_loop{};`.
class this_loop {
public:
    /// nvcc takes an awaited reference for a value, and loops are not copied.
    struct reference {
        operator loop&() const noexcept { return *on; }
        loop* on;
    };

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> self) noexcept
    {
        on_ = self.promise().on;
        return false;
    }
    reference await_resume() const noexcept { return {on_}; }

private:
    loop* on_ = nullptr;
};

namespace detail {

class clock_reading : this_loop {
public:
    using this_loop::await_ready;
    using this_loop::await_suspend;
    time_point await_resume() const noexcept
    {
        loop& on = this_loop::await_resume();
        return on.now();
    }
};

}  // namespace detail

/// Awaiting it gives what the clock of the current task's loop, real or simulated, shows:
/// `const auto begin = co_await now();`.
inline detail::clock_reading now() noexcept
{
    return {};
}

}  // namespace papilio
