#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>

#include <concepts>
#include <memory>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

template <std::same_as<task<>>... Tasks>
std::vector<task<>> list_of(Tasks&&... tasks)
{
    std::vector<task<>> list;
    list.reserve(sizeof...(tasks));
    (list.push_back(std::move(tasks)), ...);
    return list;
}

/// Tasks that run concurrently until one fails, or `awaited` of them are done.
class task_group {
public:
    task_group(std::vector<task<>> children, std::size_t awaited)
        : children_(std::move(children)), left_(awaited)
    {
    }
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    bool await_ready() const noexcept { return left_ == 0; }

    template <class P>
    void await_suspend(std::coroutine_handle<P> parent)
    {
        wake_.target = parent;
        on_ = parent.promise().on;
        arrivals_ = std::make_unique<arrival[]>(children_.size());
        for (std::size_t i = 0; i < children_.size(); ++i) {
            arrivals_[i].group = this;
            arrivals_[i].child = &children_[i];
            children_[i].start(*on_, &arrivals_[i]);
        }
    }

    /// Drops the unfinished tasks, before the parent frees what they use.
    void await_resume()
    {
        task<>* const failed = failed_;
        if (!failed) return drop();
        task<> failure = std::move(*failed);
        drop();
        failure.result();
    }

private:
    struct arrival final : event {
        void fire() override
        {
            if (group->left_ == 0 || group->failed_) return;
            --group->left_;
            if (child->failed()) group->failed_ = child;
            if (group->left_ == 0 || group->failed_) group->on_->post(group->wake_);
        }

        task_group* group = nullptr;
        task<>* child = nullptr;
    };

    void drop() noexcept
    {
        arrivals_.reset();
        children_.clear();
    }

    std::vector<task<>> children_;
    std::unique_ptr<arrival[]> arrivals_;
    std::size_t left_;
    task<>* failed_ = nullptr;
    loop* on_ = nullptr;
    resume wake_;
};

}  // namespace detail

/// Runs tasks concurrently. Finishes with the last one, or with the first failure, which it throws
/// after it has dropped the rest.
class [[nodiscard]] when_all : public detail::task_group {
public:
    explicit when_all(std::vector<task<>> children) : when_all(children.size(), children) {}

    template <std::same_as<task<>>... Tasks>
    explicit when_all(task<> first, Tasks... others)
        : when_all(detail::list_of(std::move(first), std::move(others)...))
    {
    }

private:
    when_all(std::size_t count, std::vector<task<>>& children)
        : task_group(std::move(children), count)
    {
    }
};

/// Runs tasks concurrently. Finishes with the first one, whose failure it throws, and drops the
/// rest.
class [[nodiscard]] when_any : public detail::task_group {
public:
    explicit when_any(std::vector<task<>> children) : when_any(children.empty(), children) {}

    template <std::same_as<task<>>... Tasks>
    explicit when_any(task<> first, Tasks... others)
        : when_any(detail::list_of(std::move(first), std::move(others)...))
    {
    }

private:
    when_any(bool none, std::vector<task<>>& children)
        : task_group(std::move(children), none ? 0 : 1)
    {
    }
};

}  // namespace papilio
