#pragma once

#include <papilio/base/config.hpp>

#include <condition_variable>
#include <mutex>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::detail {

inline std::system_error session_left()
{
    return {std::make_error_code(std::errc::operation_canceled), "this session has left its run"};
}

/// The calls of other threads, which whoever destroys a session waits for.
class calls_under_way {
public:
    /// One of them. Throws once none may begin any more.
    class call {
    public:
        explicit call(calls_under_way& of) : of_(of)
        {
            const std::lock_guard lock(of_.mutex_);
            if (of_.closed_) throw session_left();
            ++of_.count_;
        }
        ~call()
        {
            const std::lock_guard lock(of_.mutex_);
            if (--of_.count_ == 0) of_.none_.notify_all();
        }
        call(const call&) = delete;
        call& operator=(const call&) = delete;

    private:
        calls_under_way& of_;
    };

    /// None begins from now on.
    void close()
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }

    void wait_for_none()
    {
        std::unique_lock lock(mutex_);
        none_.wait(lock, [this] { return count_ == 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable none_;
    int count_ = 0;
    bool closed_ = false;
};

}  // namespace papilio::detail
