#pragma once

#include <papilio/async/thread_loop.hpp>
#include <papilio/base/config.hpp>

#include <chrono>
#include <mutex>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL thread_loop::~thread_loop()
{
    drop_spawned();
}

PAPILIO_DECL time_point thread_loop::now() const noexcept
{
    return time_point(std::chrono::steady_clock::now() - epoch_);
}

PAPILIO_DECL bool thread_loop::idle(time_point until)
{
    std::unique_lock lock(mutex_);
    const auto woken = [this] { return std::exchange(woken_, false); };
    if (until == time_point::max()) {
        if (!has_outstanding_work()) return woken();
        changed_.wait(lock, woken);
    } else if (until != time_point::min()) {
        changed_.wait_until(lock, epoch_ + until.time_since_epoch(), woken);
    }
    return true;
}

PAPILIO_DECL void thread_loop::wake() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        woken_ = true;
    }
    changed_.notify_one();
}

}  // namespace papilio
