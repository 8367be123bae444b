#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace papilio::example {

/// What one thread tells another, in order.
template <class T>
class inbox {
public:
    /// Calls `thin` with whatever still waits, so that it need not hold much for long.
    template <class Thin>
    void put(T what, Thin thin)
    {
        {
            const std::lock_guard lock(mutex_);
            for (T& older : waiting_) thin(older);
            waiting_.push_back(std::move(what));
        }
        changed_.notify_one();
    }

    /// The oldest; nothing when none comes within `patience`.
    template <class Duration>
    std::optional<T> take(Duration patience)
    {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, patience, [this] { return !waiting_.empty(); })) return {};
        std::optional<T> oldest(std::move(waiting_.front()));
        waiting_.pop_front();
        return oldest;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<T> waiting_;
};

}  // namespace papilio::example
