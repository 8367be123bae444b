#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>

#include <condition_variable>

namespace papilio::inline PAPILIO_MODE {

/// A real loop without sockets: the steady clock, and events that other threads post. For peers
/// within one process; needs nothing but the standard library.
class thread_loop final : public loop {
public:
    ~thread_loop() override { drop_spawned(); }

    time_point now() const noexcept override
    {
        return time_point(std::chrono::steady_clock::now() - epoch_);
    }

private:
    bool idle(time_point until) override
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

    void wake() noexcept override
    {
        {
            const std::lock_guard lock(mutex_);
            woken_ = true;
        }
        changed_.notify_one();
    }

    std::chrono::steady_clock::time_point epoch_ = std::chrono::steady_clock::now();
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
};

}  // namespace papilio
