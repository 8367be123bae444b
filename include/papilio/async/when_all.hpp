#pragma once

#include <papilio/async/task.hpp>

#include <memory>
#include <vector>

namespace papilio {

/// Runs tasks side by side. Finishes with the last one, or with the first failure in time, which
/// it throws and which drops the rest.
class [[nodiscard]] when_all {
public:
    explicit when_all(std::vector<task<>> children) : children_(std::move(children)) {}
    when_all(const when_all&) = delete;
    when_all& operator=(const when_all&) = delete;

    bool await_ready() const noexcept { return children_.empty(); }

    template <class P>
    void await_suspend(std::coroutine_handle<P> parent)
    {
        wake_.target = parent;
        on_ = parent.promise().on;
        left_ = children_.size();
        arrivals_ = std::make_unique<arrival[]>(left_);
        for (std::size_t i = 0; i < children_.size(); ++i) {
            arrivals_[i].group = this;
            arrivals_[i].child = &children_[i];
            children_[i].start(*on_, &arrivals_[i]);
        }
    }

    void await_resume()
    {
        if (!failed_) return;
        // Drop the others before the failure is handled: they may hold what its handler frees.
        task<> failure = std::move(*failed_);
        arrivals_.reset();
        children_.clear();
        failure.result();
    }

private:
    struct arrival final : event {
        void fire() override
        {
            --group->left_;
            if (group->failed_) return;
            if (child->failed()) group->failed_ = child;
            if (group->left_ == 0 || group->failed_) group->on_->post(group->wake_);
        }

        when_all* group = nullptr;
        task<>* child = nullptr;
    };

    std::vector<task<>> children_;
    std::unique_ptr<arrival[]> arrivals_;
    std::size_t left_ = 0;
    task<>* failed_ = nullptr;
    loop* on_ = nullptr;
    detail::resume wake_;
};

}  // namespace papilio
