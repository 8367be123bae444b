#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/detail/asio_io.hpp>
#include <papilio/base/config.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

/// How long a loop polls before it sleeps.
inline constexpr duration polling_time = std::chrono::microseconds(50);

/// How often it polls its watchers, in a row, before it asks Asio: what comes by watchers is in a
/// hurry, and to ask Asio takes a system call, too.
inline constexpr int watchers_first = 8;

}  // namespace detail

PAPILIO_DECL asio_loop::asio_loop() : io_(std::make_unique<detail::asio_io>()) {}

PAPILIO_DECL asio_loop::~asio_loop()
{
    drop_spawned();
}

PAPILIO_DECL void asio_loop::run(std::stop_token stop)
{
    struct no_op final : event {
        void fire() override {}
    };
    work_started();
    no_op wakeup;  // `run_one` returns only after an event
    {
        const std::stop_callback interrupt(stop, [&] { post_from_any_thread(wakeup); });
        while (!stop.stop_requested()) run_one();
    }
    work_finished();
}

PAPILIO_DECL bool asio_loop::idle(time_point until)
{
    auto& context = io_->context;
    const bool found = poll_watchers();
    if (found && until != time_point::min() && ++unasked_ < detail::watchers_first) return true;
    unasked_ = 0;
    context.restart();
    if (found || until == time_point::min()) return context.poll() > 0 || found;
    const auto begun = now();
    if (brief_ && poll_for_a_while(begun, until)) return true;
    for (auto* w : watchers_) w->before_sleep();
    const bool possible = poll_watchers() || wait(until);
    for (auto* w : watchers_) w->after_sleep();
    brief_ = now() - begun < 2 * detail::polling_time;
    return possible;
}

PAPILIO_DECL bool asio_loop::poll_watchers()
{
    bool found = false;
    for (auto* w : watchers_) found = w->poll() || found;
    return found;
}

/// Polling costs less than sleeping and being woken when the wait is microseconds long; after a
/// long wait the next one may be long, too. Other threads run first: there may be more processes
/// than processors.
PAPILIO_DECL bool asio_loop::poll_for_a_while(time_point begun, time_point until)
{
    const auto end = std::min(until, begun + detail::polling_time);
    int turn = 0;
    do {
        std::this_thread::yield();
        if (poll_watchers()) return true;
        const bool ask =
            turn++ % detail::watchers_first == 0 || watchers_.empty() || has_remote_events();
        if (ask && io_->context.poll() > 0) return true;
    } while (now() < end);
    return false;
}

PAPILIO_DECL bool asio_loop::wait(time_point until)
{
    auto& context = io_->context;
    if (until == time_point::max() && !has_outstanding_work()) return context.run_one() > 0;

    const auto guard = asio::make_work_guard(context);  // wait without pending operations, too
    if (until == time_point::max())
        context.run_one();
    else
        context.run_one_until(epoch_ + until.time_since_epoch());
    return true;
}

PAPILIO_DECL void asio_loop::wake() noexcept
{
    asio::post(io_->context, [] {});
}

}  // namespace papilio
