#pragma once

#include <papilio/base/config.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace papilio::inline PAPILIO_MODE::detail {

/// Turns of threads at what one of them uses at a time, in the order in which they have asked.
class turns {
public:
    /// A place in the queue, which any thread may take. It is given up, or the turn ends, when it
    /// is destroyed.
    class turn {
    public:
        explicit turn(turns& of) : of_(of)
        {
            const std::lock_guard lock(of_.mutex_);
            of_.queue_.push_back(this);
        }

        /// Takes the turn if nobody has it or waits for it; else is false.
        turn(turns& of, std::try_to_lock_t) : of_(of)
        {
            const std::lock_guard lock(of_.mutex_);
            taken_ = of_.queue_.empty();
            if (taken_) of_.queue_.push_back(this);
        }

        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;
        ~turn()
        {
            {
                const std::lock_guard lock(of_.mutex_);
                std::erase(of_.queue_, this);
            }
            of_.moved_.notify_all();
        }

        explicit operator bool() const noexcept { return taken_; }

        /// Blocks until all that have asked before are through.
        void wait()
        {
            std::unique_lock lock(of_.mutex_);
            of_.moved_.wait(lock, [this] { return of_.queue_.front() == this; });
        }

    private:
        turns& of_;
        bool taken_ = true;
    };

    /// Whether anybody has its turn, or waits for it.
    bool any()
    {
        const std::lock_guard lock(mutex_);
        return !queue_.empty();
    }

private:
    std::mutex mutex_;
    std::condition_variable moved_;
    std::deque<turn*> queue_;  // the first has its turn
};

}  // namespace papilio::detail
