#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace papilio::example {

/// Repeats a request to join that was refused for a reason that may pass, such as another session
/// with the same name: perhaps the miner's own, if the rendezvous has not noticed yet that its link
/// is lost.
class join_retries {
public:
    /// Waits before the next try. False: `limit` has passed since the first refusal.
    template <class Duration>
    bool wait(Duration limit, std::stop_token stop)
    {
        if (count_++ == 0)
            last_ = clock::now() + std::chrono::duration_cast<clock::duration>(limit);
        if (clock::now() >= last_) return false;
        const std::chrono::seconds pause(std::min(count_, 5));
        std::mutex unused;
        std::unique_lock lock(unused);
        std::condition_variable_any().wait_for(lock, stop, pause, [] { return false; });
        return true;
    }

    bool any() const { return count_ > 0; }
    void reset() { count_ = 0; }

private:
    using clock = std::chrono::steady_clock;

    int count_ = 0;
    clock::time_point last_{};  // after which no more tries are made
};

}  // namespace papilio::example
