#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/asio_context.hpp>
#include <papilio/async/asio_loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

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
    descriptor(asio_loop& on, int fd) : held_(asio_context(on), fd) {}

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
