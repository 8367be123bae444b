#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>

namespace papilio::inline PAPILIO_MODE {

/// Suspends the current task until the loop's clock, real or simulated, reaches `when`.
class [[nodiscard]] sleep_until {
public:
    explicit sleep_until(time_point when) noexcept : when_(when) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> self)
    {
        wake_.target = self;
        self.promise().on->post_at(wake_, when_);
    }
    void await_resume() const noexcept {}

private:
    time_point when_;
    detail::resume wake_;
};

/// Suspends the current task for `span`.
inline task<> sleep_for(duration span)
{
    const auto begin = co_await now();
    co_await sleep_until(later(begin, span));
}

}  // namespace papilio
