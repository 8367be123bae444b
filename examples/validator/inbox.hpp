#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace papilio::example {

/// A queue from one thread to another.
template <class T>
class inbox {
public:
    /// Appends an item. Calls `shrink` with each older one, to free memory that it need not hold.
    template <class Shrink>
    void put(T item, Shrink shrink)
    {
        {
            const std::lock_guard lock(mutex_);
            for (T& older : waiting_) shrink(older);
            waiting_.push_back(std::move(item));
        }
        changed_.notify_one();
    }

    /// Removes the oldest item; returns nothing when there is none within `limit`.
    template <class Duration>
    std::optional<T> take(Duration limit)
    {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, limit, [this] { return !waiting_.empty(); })) return {};
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
