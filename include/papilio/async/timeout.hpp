#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <optional>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// Awaiting it gives the result of `work`. If the loop's clock reaches `when` first, `work` is
/// dropped and `errc::timed_out` is thrown.
template <class T>
class [[nodiscard]] timeout {
public:
    timeout(task<T> work, time_point when) noexcept : work_(std::move(work)), when_(when) {}
    timeout(const timeout&) = delete;
    timeout& operator=(const timeout&) = delete;

    bool await_ready() const noexcept { return false; }

    template <class P>
    void await_suspend(std::coroutine_handle<P> parent)
    {
        loop& on = *parent.promise().on;
        finished_.target = parent;
        late_.target = parent;
        on.post_at(late_, when_);
        work_->start(on, &finished_);
    }

    T await_resume()
    {
        late_.cancel();
        if (!work_->finished()) {
            work_.reset();
            throw std::system_error(errc::timed_out);
        }
        finished_.cancel();  // the work may have finished at the very time of the timeout
        return work_->result();
    }

private:
    std::optional<task<T>> work_;
    time_point when_;
    detail::resume finished_;
    detail::resume late_;
};

}  // namespace papilio
