#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>

#include <future>
#include <optional>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

template <class T>
class spawned_task final : public loop::spawned, public event {
public:
    spawned_task(loop& on, task<T> work) noexcept : on_(on), work_(std::move(work))
    {
        end_.owner = this;
    }

    std::future<T> future() { return result_.get_future(); }

private:
    struct end final : event {
        void fire() override { owner->deliver(); }
        spawned_task* owner = nullptr;
    };

    /// Starts the work, on the loop's thread.
    void fire() override
    {
        on_.work_finished();
        work_.start(on_, &end_);
    }

    /// Destroys the work before its future becomes ready, since the holder of the future may then
    /// free what the work has borrowed.
    void deliver()
    {
        std::promise<T> result = std::move(result_);
        std::optional<task<T>> work(std::move(work_));
        on_.dismiss(this);
        try {
            if constexpr (std::is_void_v<T>) {
                work->result();
                work.reset();
                result.set_value();
            } else {
                T value = work->result();
                work.reset();
                result.set_value(std::move(value));
            }
        } catch (...) {
            work.reset();
            result.set_exception(std::current_exception());
        }
    }

    loop& on_;
    task<T> work_;
    end end_;
    std::promise<T> result_;
};

}  // namespace detail

/// Starts `work` on `on`, which this or another thread runs, and returns a future of its result.
/// May be called from any thread; what `work` uses belongs to the loop's thread. Work that is
/// unfinished when the loop is destroyed is dropped, and its future reports a broken promise.
template <class T>
std::future<T> spawn(loop& on, task<T> work)
{
    auto* start = new detail::spawned_task<T>(on, std::move(work));
    auto future = start->future();
    on.adopt(start);
    on.work_started();
    on.post_from_any_thread(*start);
    return future;
}

}  // namespace papilio
