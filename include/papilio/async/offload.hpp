#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// Threads for computations that would block a loop for too long. Must outlive the tasks that use
/// it.
class thread_pool {
public:
    /// A piece of work. Belongs to the caller of `submit`, and must live until it is done or
    /// withdrawn.
    class job {
    public:
        virtual ~job() = default;

    private:
        friend class thread_pool;
        enum class stage { queued, running, done };
        virtual void run() noexcept = 0;
        stage stage_ = stage::queued;
    };

    /// Starts `threads` threads, at least one.
    explicit thread_pool(unsigned threads)
    {
        for (unsigned i = 0; i < std::max(threads, 1u); ++i)
            threads_.emplace_back([this](std::stop_token stop) { work(stop); });
    }
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;

    void submit(job& j)
    {
        {
            const std::lock_guard lock(mutex_);
            j.stage_ = job::stage::queued;
            queue_.push_back(&j);
        }
        changed_.notify_one();
    }

    /// Takes `j` back. Returns when no thread will use it any more: at once if none has started
    /// it, else after it has run.
    void withdraw(job& j)
    {
        std::unique_lock lock(mutex_);
        if (std::erase(queue_, &j)) return;
        finished_.wait(lock, [&] { return j.stage_ == job::stage::done; });
    }

private:
    void work(std::stop_token stop)
    {
        std::unique_lock lock(mutex_);
        while (changed_.wait(lock, stop, [this] { return !queue_.empty(); })) {
            job& next = *queue_.front();
            queue_.pop_front();
            next.stage_ = job::stage::running;
            lock.unlock();
            next.run();
            lock.lock();
            next.stage_ = job::stage::done;
            finished_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::condition_variable finished_;
    std::deque<job*> queue_;
    std::vector<std::jthread> threads_;  // last, so that they end before the members they use
};

/// Awaiting it calls `work()` on one of `pool`'s threads, or on this one if `pool` is null, as in
/// simulations, and throws what `work()` throws. `work` is borrowed until the await returns.
/// Dropping the wait while a thread runs `work()` blocks until that call returns.
template <class F>
class [[nodiscard]] offload final : thread_pool::job {
public:
    offload(thread_pool* pool, F& work) noexcept : pool_(pool), work_(work) {}
    offload(const offload&) = delete;
    offload& operator=(const offload&) = delete;
    ~offload() override
    {
        if (on_) withdraw();
    }

    bool await_ready()
    {
        if (!pool_) work_();
        return !pool_;
    }

    template <class P>
    void await_suspend(std::coroutine_handle<P> self)
    {
        wake_.target = self;
        on_ = self.promise().on;
        on_->work_started();
        pool_->submit(*this);
    }

    void await_resume()
    {
        if (on_) withdraw();
        if (error_) std::rethrow_exception(error_);
    }

private:
    void run() noexcept override
    {
        try {
            work_();
        } catch (...) {
            error_ = std::current_exception();
        }
        on_->post_from_any_thread(wake_);
    }

    /// Another thread may be about to post the wake-up. It can be cancelled, and this object
    /// destroyed, only once that thread has finished with the job.
    void withdraw()
    {
        pool_->withdraw(*this);
        wake_.cancel();
        std::exchange(on_, nullptr)->work_finished();
    }

    thread_pool* pool_;
    F& work_;
    loop* on_ = nullptr;
    std::exception_ptr error_;
    detail::resume wake_;
};

}  // namespace papilio
