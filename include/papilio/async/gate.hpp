#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// Tasks wait at a gate until it is opened. It stays open until it is closed again. Belongs to one
/// loop, so it needs no lock; it must outlive the tasks that wait.
class gate {
public:
    gate() = default;
    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;
    ~gate() { PAPILIO_CHECK(waiting_.empty(), "a gate must outlive the tasks that wait at it"); }

    /// Resumes all tasks that wait, in the order they came. Later ones do not wait at all.
    void open() noexcept
    {
        open_ = true;
        for (auto* p : waiting_) p->on_->post(p->wake_);
        waiting_.clear();
    }
    void close() noexcept { open_ = false; }
    bool is_open() const noexcept { return open_; }

    /// Awaiting it lasts until the gate is open.
    class [[nodiscard]] passage {
    public:
        explicit passage(gate& g) noexcept : gate_(g) {}
        passage(const passage&) = delete;
        passage& operator=(const passage&) = delete;
        ~passage() { std::erase(gate_.waiting_, this); }

        bool await_ready() const noexcept { return gate_.open_; }
        template <class P>
        void await_suspend(std::coroutine_handle<P> self)
        {
            wake_.target = self;
            on_ = self.promise().on;
            gate_.waiting_.push_back(this);
        }
        void await_resume() const noexcept {}

    private:
        friend class gate;
        gate& gate_;
        loop* on_ = nullptr;
        detail::resume wake_;
    };

    passage opened() noexcept { return passage(*this); }

private:
    bool open_ = false;
    std::vector<passage*> waiting_;
};

}  // namespace papilio
