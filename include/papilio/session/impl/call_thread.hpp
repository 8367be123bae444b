#pragma once

#include <papilio/base/config.hpp>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// A thread that makes blocking calls one after the other, in the order in which they are given; it
/// is there from the first one on. Whoever destroys it has seen them end.
class call_thread {
public:
    /// It is destroyed when it has been made.
    class call {
    public:
        virtual ~call() = default;
        virtual void make() noexcept = 0;
    };

    void add(std::unique_ptr<call> next)
    {
        const std::lock_guard lock(mutex_);
        if (!thread_.joinable())
            thread_ = std::jthread([this](std::stop_token stop) { work(stop); });
        queue_.push_back(std::move(next));
        added_.notify_one();
    }

private:
    void work(const std::stop_token& stop)
    {
        std::unique_lock lock(mutex_);
        while (added_.wait(lock, stop, [this] { return !queue_.empty(); })) {
            auto next = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            next->make();
            next.reset();  // whoever waits until it is gone need not wait for another one
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any added_;
    std::deque<std::unique_ptr<call>> queue_;
    std::jthread thread_;  // last: it uses the others
};

}  // namespace papilio::detail
