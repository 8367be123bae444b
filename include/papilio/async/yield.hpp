#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>

namespace papilio::inline PAPILIO_MODE {

/// Lets all events that are ready run first.
class [[nodiscard]] yield {
public:
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> self) noexcept
    {
        wake_.target = self;
        self.promise().on->post(wake_);
    }
    void await_resume() const noexcept {}

private:
    detail::resume wake_;
};

}  // namespace papilio
