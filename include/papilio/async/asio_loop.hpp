#pragma once

#include <papilio/async/task.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <memory>
#include <stop_token>
#include <system_error>
#include <thread>
#include <vector>

namespace papilio {

/// The real loop: the steady clock, and Asio's io_context for sockets. Asio's handlers post events
/// and do nothing else, so that tasks are resumed here exactly as in a simulation.
class asio_loop final : public loop {
public:
    ~asio_loop() override { drop_spawned(); }

    time_point now() const noexcept override { return time_point(clock::now() - epoch_); }

    asio::io_context& context() noexcept { return context_; }

    /// A source of events that the system does not report, such as memory that another process
    /// writes to. The loop polls it between events, then for a short while when there are none, and
    /// then sleeps until the other side wakes it. Must not outlive the loop.
    class watcher {
    public:
        explicit watcher(asio_loop& on) : on_(on) { on_.watchers_.push_back(this); }
        watcher(const watcher&) = delete;
        watcher& operator=(const watcher&) = delete;
        virtual ~watcher() { std::erase(on_.watchers_, this); }

    private:
        friend class asio_loop;

        /// Posts the events that have become due; false if there are none.
        virtual bool poll() = 0;

        /// The loop is about to sleep. From now until `after_sleep`, the other side must wake it
        /// through a descriptor.
        virtual void before_sleep() = 0;
        virtual void after_sleep() = 0;

        asio_loop& on_;
    };

    /// Runs until `stop` is requested, from any thread, and waits for other threads to `spawn` work
    /// here. For a thread that does nothing else.
    void run(std::stop_token stop)
    {
        work_started();
        no_op wakeup;  // `run_one` returns only after an event
        {
            const std::stop_callback interrupt(stop, [&] { post_from_any_thread(wakeup); });
            while (!stop.stop_requested()) run_one();
        }
        work_finished();
    }

private:
    using clock = std::chrono::steady_clock;
    static constexpr duration polling_time = std::chrono::microseconds(50);

    struct no_op final : event {
        void fire() override {}
    };

    bool idle(time_point until) override
    {
        context_.restart();
        const bool found = poll_watchers();
        if (found || until == time_point::min()) return context_.poll() > 0 || found;
        const auto begun = now();
        if (brief_ && poll_for_a_while(begun, until)) return true;
        for (auto* w : watchers_) w->before_sleep();
        const bool possible = poll_watchers() || wait(until);
        for (auto* w : watchers_) w->after_sleep();
        brief_ = now() - begun < 2 * polling_time;
        return possible;
    }

    bool poll_watchers()
    {
        bool found = false;
        for (auto* w : watchers_) found = w->poll() || found;
        return found;
    }

    /// Polling costs less than sleeping and being woken when the wait is microseconds long; after a
    /// long wait the next one may be long, too. Other threads run first: there may be more
    /// processes than processors.
    bool poll_for_a_while(time_point begun, time_point until)
    {
        const auto end = std::min(until, begun + polling_time);
        do {
            std::this_thread::yield();
            if (poll_watchers() || context_.poll() > 0) return true;
        } while (now() < end);
        return false;
    }

    bool wait(time_point until)
    {
        if (until == time_point::max() && !has_outstanding_work()) return context_.run_one() > 0;

        const auto guard = asio::make_work_guard(context_);  // wait without pending operations, too
        if (until == time_point::max())
            context_.run_one();
        else
            context_.run_one_until(epoch_ + until.time_since_epoch());
        return true;
    }

    void wake() noexcept override
    {
        asio::post(context_, [] {});
    }

    clock::time_point epoch_ = clock::now();
    asio::io_context context_{1};
    std::vector<watcher*> watchers_;
    bool brief_ = false;  // the last wait ended soon, and the next one probably will
};

/// Makes one Asio operation awaitable: `begin(handler)` starts it, and awaiting it gives its error
/// code. Dropping it cancels it. Only for operations that hold no buffer of the caller's (waits and
/// connects), so that a task can be dropped at any moment, whatever the system still does.
template <class Begin>
class [[nodiscard]] asio_operation {
    static_assert(std::is_trivially_destructible_v<Begin>,
                  "capture by reference: g++ 12.2 destroys other captures twice");

public:
    explicit asio_operation(Begin begin) noexcept : begin_(begin) {}
    asio_operation(const asio_operation&) = delete;
    asio_operation& operator=(const asio_operation&) = delete;
    ~asio_operation()
    {
        if (!pending_) return;
        pending_->waiter = nullptr;  // the handler may still run and must not use this object
        pending_->cancel.emit(asio::cancellation_type::terminal);
    }

    bool await_ready() const noexcept { return false; }

    template <class P>
    void await_suspend(std::coroutine_handle<P> self)
    {
        wake_.target = self;
        on_ = self.promise().on;
        pending_ = std::make_shared<shared>();
        pending_->waiter = this;
        begin_(asio::bind_cancellation_slot(pending_->cancel.slot(),
                                            [state = pending_](std::error_code error, auto&&...) {
                                                if (state->waiter) state->waiter->finish(error);
                                            }));
    }

    std::error_code await_resume() const noexcept { return error_; }

private:
    /// Shared by the awaiting task and Asio's handler, since either may be destroyed first.
    struct shared {
        asio_operation* waiter = nullptr;
        asio::cancellation_signal cancel;
    };

    void finish(std::error_code error) noexcept
    {
        error_ = error;
        pending_.reset();
        on_->post(wake_);
    }

    Begin begin_;
    std::shared_ptr<shared> pending_;
    std::error_code error_;
    loop* on_ = nullptr;
    detail::resume wake_;
};

/// Owns a file descriptor, and tells when a read from it would not block.
class descriptor {
public:
    descriptor(asio_loop& on, int fd) : held_(on.context(), fd) {}

    int get() { return held_.native_handle(); }

    /// Awaiting it lasts until a read, or an accept, would not block.
    auto readable()
    {
        return asio_operation(
            [this](auto done) { held_.async_wait(held_.wait_read, std::move(done)); });
    }
    void close() noexcept
    {
        std::error_code ignored;  // the descriptor is closed in any case
        held_.close(ignored);
    }

private:
    asio::posix::stream_descriptor held_;
};

}  // namespace papilio
