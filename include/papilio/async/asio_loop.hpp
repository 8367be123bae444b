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

/// The real loop: the steady clock, and Asio's io_context for the outside world. Asio's handlers
/// post events and do nothing else, so tasks are resumed here as they are in a simulation.
class asio_loop final : public loop {
public:
    ~asio_loop() override { drop_spawned(); }

    time_point now() const noexcept override { return time_point(clock::now() - epoch_); }

    asio::io_context& context() noexcept { return context_; }

    /// Something outside that the system does not tell of, such as memory that another process
    /// writes to. The loop looks by itself, between events and for a short while when there are
    /// none, and then has itself woken. Lives no longer than the loop.
    class watcher {
    public:
        explicit watcher(asio_loop& on) : on_(on) { on_.watchers_.push_back(this); }
        watcher(const watcher&) = delete;
        watcher& operator=(const watcher&) = delete;
        virtual ~watcher() { std::erase(on_.watchers_, this); }

    protected:
        asio_loop& watched_from() const noexcept { return on_; }

    private:
        friend class asio_loop;

        /// Looks, and posts the events that follow from what it finds; false if there are none.
        virtual bool look() = 0;

        /// From now until `awake`, the other side is to wake the loop by a descriptor of its own.
        virtual void asleep() = 0;
        virtual void awake() = 0;

        asio_loop& on_;
    };

    /// Runs until `stop` is requested, from whichever thread, and meanwhile waits for others to
    /// `spawn` work here. For a thread that does nothing else.
    void run(std::stop_token stop)
    {
        work_started();
        nothing last;  // an event, since `run_one` waits for one
        {
            const std::stop_callback interrupt(stop, [&] { post_from_any_thread(last); });
            while (!stop.stop_requested()) run_one();
        }
        work_finished();
    }

private:
    using clock = std::chrono::steady_clock;
    static constexpr duration a_while = std::chrono::microseconds(50);

    struct nothing final : event {
        void fire() override {}
    };

    bool idle(time_point until) override
    {
        context_.restart();
        const bool seen = look();
        if (seen || until == time_point::min()) return context_.poll() > 0 || seen;
        const auto begun = now();
        if (brief_ && look_for_a_while(begun, until)) return true;
        for (auto* w : watchers_) w->asleep();
        const bool something = look() || wait(until);
        for (auto* w : watchers_) w->awake();
        brief_ = now() - begun < 2 * a_while;
        return something;
    }

    bool look()
    {
        bool seen = false;
        for (auto* w : watchers_) seen = w->look() || seen;
        return seen;
    }

    /// What comes within microseconds costs less to wait for than to sleep and be woken; after a
    /// long wait the next one may be long, too. Whoever else has work goes first: there may be more
    /// processes than processors.
    bool look_for_a_while(time_point begun, time_point until)
    {
        const auto end = std::min(until, begun + a_while);
        do {
            std::this_thread::yield();
            if (look() || context_.poll() > 0) return true;
        } while (now() < end);
        return false;
    }

    bool wait(time_point until)
    {
        if (until == time_point::max() && !has_outstanding_work()) return context_.run_one() > 0;

        const auto stay = asio::make_work_guard(context_);  // wait, though nothing be pending
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
    bool brief_ = false;  // the last wait was
};

/// One Asio operation as something to await: `begin(handler)` starts it, and awaiting gives its
/// error code. Dropping it cancels it. For operations that hold no buffer of the caller's (waits
/// and connects): then a task can be dropped at any moment, whatever the system beneath does.
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
        pending_->waiter = nullptr;  // the handler may still run, and must not find us
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
    /// What the awaiting task and Asio's handler both hold, since either may die first.
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

/// A file descriptor that is closed in the end, and tells when a read or a write would not block.
class descriptor {
public:
    descriptor(asio_loop& on, int fd) : held_(on.context(), fd) {}

    int get() { return held_.native_handle(); }
    auto readable()
    {
        return asio_operation(
            [this](auto done) { held_.async_wait(held_.wait_read, std::move(done)); });
    }
    void close() noexcept
    {
        std::error_code ignored;  // it is gone in any case
        held_.close(ignored);
    }

private:
    asio::posix::stream_descriptor held_;
};

}  // namespace papilio
