#pragma once

#include <papilio/async/event.hpp>
#include <papilio/async/keep_result.hpp>
#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>

#include <coroutine>
#include <optional>
#include <stop_token>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// An awaitable that lasts until `stop` is requested, by any thread.
class [[nodiscard]] stop_request {
public:
    explicit stop_request(std::stop_token stop) noexcept : stop_(std::move(stop)) {}
    stop_request(const stop_request&) = delete;
    stop_request& operator=(const stop_request&) = delete;
    ~stop_request()
    {
        callback_.reset();  // waits for a thread that is calling it
        if (on_) on_->work_finished();
    }

    bool await_ready() const noexcept { return stop_.stop_requested(); }

    template <class P>
    void await_suspend(std::coroutine_handle<P> self)
    {
        wake_.target = self;
        on_ = self.promise().on;
        on_->work_started();
        callback_.emplace(stop_, post_wake{*this});
    }

    void await_resume() const noexcept {}

private:
    struct post_wake {
        void operator()() const noexcept { of.on_->post_from_any_thread(of.wake_); }
        stop_request& of;
    };

    std::stop_token stop_;
    loop* on_ = nullptr;
    detail::resume wake_;
    std::optional<std::stop_callback<post_wake>> callback_;  // uses the rest, so destroyed first
};

/// Fails with `std::errc::operation_canceled` once `stop` is requested.
inline task<> cancel_on(std::stop_token stop)
{
    co_await stop_request(std::move(stop));
    throw std::system_error(std::make_error_code(std::errc::operation_canceled), "stopped");
}

/// Returns the result of `work`. When `stop` is requested first, drops `work` and throws
/// `std::errc::operation_canceled`.
template <class T>
task<T> unless_stopped(task<T> work, std::stop_token stop)
{
    std::optional<T> result;
    co_await when_any(detail::keep_result<T>(std::move(work), result), cancel_on(std::move(stop)));
    co_return std::move(*result);
}

template <>
inline task<> unless_stopped(task<> work, std::stop_token stop)
{
    co_await when_any(std::move(work), cancel_on(std::move(stop)));
}

}  // namespace papilio
