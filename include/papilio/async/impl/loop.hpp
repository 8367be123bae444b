#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>

#include <atomic>
#include <mutex>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL loop::~loop()
{
    PAPILIO_CHECK(!spawned_, "a loop's destructor must begin with drop_spawned()");
    while (!ready_.empty()) ready_.front()->cancel();
    while (!timers_.empty()) timers_.begin()->second.front()->cancel();
    while (!remote_queue_.empty()) remote_queue_.front()->cancel();
}

PAPILIO_DECL void loop::post_at(event& e, time_point when)
{
    e.cancel();
    timers_[when].append(e);
    e.owner_ = this;
    e.where_ = event::queue::timed;
    e.due_ = when;
}

PAPILIO_DECL void loop::post_from_any_thread(event& e) noexcept
{
    {
        const std::lock_guard lock(remote_mutex_);
        e.owner_ = this;
        e.where_ = event::queue::remote;
        remote_queue_.append(e);
        remote_posted_.store(true, std::memory_order_release);
    }
    wake();
}

PAPILIO_DECL bool loop::run_one()
{
    if (turn_ == 0 || ready_.empty()) {
        if (!begin_turn()) return false;
    }
    --turn_;
    event& e = *ready_.front();
    ready_.remove(e);
    e.where_ = event::queue::none;
    e.fire();
    return true;
}

PAPILIO_DECL void loop::adopt(spawned* s) noexcept
{
    const std::lock_guard lock(remote_mutex_);
    s->after_ = spawned_;
    if (spawned_) spawned_->before_ = s;
    spawned_ = s;
}

PAPILIO_DECL void loop::dismiss(spawned* s) noexcept
{
    {
        const std::lock_guard lock(remote_mutex_);
        (s->before_ ? s->before_->after_ : spawned_) = s->after_;
        if (s->after_) s->after_->before_ = s->before_;
    }
    delete s;
}

PAPILIO_DECL bool loop::begin_turn()
{
    constexpr int events_per_turn = 64;
    if (turn_ == 0) {
        idle(time_point::min());
        turn_ = events_per_turn;
    }
    for (;;) {
        drain_remote_queue();
        post_due_timers();
        if (!ready_.empty()) return true;
        const auto until = timers_.empty() ? time_point::max() : timers_.begin()->first;
        if (!idle(until)) return false;
        turn_ = events_per_turn;
    }
}

PAPILIO_DECL void loop::drain_remote_queue() noexcept
{
    if (!remote_posted_.load(std::memory_order_acquire)) return;
    const std::lock_guard lock(remote_mutex_);
    remote_posted_.store(false, std::memory_order_relaxed);
    while (!remote_queue_.empty()) {
        event& e = *remote_queue_.front();
        remote_queue_.remove(e);
        e.where_ = event::queue::ready;
        ready_.append(e);
    }
}

PAPILIO_DECL void loop::post_due_timers()
{
    if (timers_.empty()) return;
    const auto time = now();
    while (!timers_.empty() && timers_.begin()->first <= time)
        post(*timers_.begin()->second.front());
}

PAPILIO_DECL void event::leave_queue() noexcept
{
    switch (std::exchange(where_, queue::none)) {
    case queue::none: break;
    case queue::ready: owner_->ready_.remove(*this); break;
    case queue::timed: {
        const auto due = owner_->timers_.find(due_);
        due->second.remove(*this);
        if (due->second.empty()) owner_->timers_.erase(due);
        break;
    }
    case queue::remote: {
        const std::lock_guard lock(owner_->remote_mutex_);
        owner_->remote_queue_.remove(*this);
        break;
    }
    }
}

}  // namespace papilio
