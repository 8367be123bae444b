#pragma once

#include <papilio/base/config.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace papilio::inline PAPILIO_MODE {

namespace detail {
/// Sleeps for so long, or until `stop` is requested.
inline void pause(std::chrono::steady_clock::duration length, std::stop_token stop)
{
    std::mutex unused;
    std::unique_lock lock(unused);
    std::condition_variable_any().wait_for(lock, stop, length, [] { return false; });
}
}  // namespace detail

/// Repeats a request to join that failed for a reason that may pass: the rendezvous is away, or has
/// another session with the same name, perhaps this member's own whose link is lost.
class join_retries {
public:
    /// Waits before the next try. False: `limit` has passed since the first failure.
    template <class Duration>
    bool wait(Duration limit, std::stop_token stop)
    {
        if (count_++ == 0)
            last_ = clock::now() + std::chrono::duration_cast<clock::duration>(limit);
        if (clock::now() >= last_) return false;
        const auto length = std::min<clock::duration>(std::chrono::seconds(std::min(count_, 5)),
                                                      last_ - clock::now());
        detail::pause(length, stop);
        return true;
    }

    bool any() const { return count_ > 0; }
    void reset() { count_ = 0; }

private:
    using clock = std::chrono::steady_clock;

    int count_ = 0;
    clock::time_point last_{};  // after which no more tries are made
};

}  // namespace papilio
