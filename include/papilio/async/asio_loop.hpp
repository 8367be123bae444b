#pragma once

#include <papilio/async/task.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <memory>
#include <stop_token>
#include <system_error>

namespace papilio {

/// The real loop: the steady clock, and Asio's io_context for the outside world. Asio's handlers
/// post events and do nothing else, so tasks are resumed here as they are in a simulation.
class asio_loop final : public loop {
public:
    ~asio_loop() override { drop_spawned(); }

    time_point now() const noexcept override { return time_point(clock::now() - epoch_); }

    asio::io_context& context() noexcept { return context_; }

    /// Runs until `stop` is requested, from whichever thread, and meanwhile waits for others to
    /// `spawn` work here. For a thread that does nothing else.
    void run(std::stop_token stop)
    {
        expect_visitor();
        nothing last;  // an event, since `run_one` waits for one
        {
            const std::stop_callback interrupt(stop, [&] { post_from_any_thread(last); });
            while (!stop.stop_requested()) run_one();
        }
        visitor_left();
    }

private:
    using clock = std::chrono::steady_clock;

    struct nothing final : event {
        void fire() override {}
    };

    bool idle(time_point until) override
    {
        context_.restart();
        if (until == time_point::min()) return context_.poll() > 0;
        if (until == time_point::max() && !expects_visitors()) return context_.run_one() > 0;

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

}  // namespace papilio
