#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <system_error>
#include <utility>

namespace papilio::detail {

/// Takes guests in at a door, and has each heard by a task of its own. Belongs to `on`. A door has
/// - `guest`: what comes in
/// - `task<> knocked()`: finishes when it is worth opening
/// - `guest open(std::error_code&)`: the next one; an error other than `again(error)` is trouble
template <class Door>
class reception {
public:
    using guest = typename Door::guest;

    /// `welcome` finds out who it is that has come, within bounded time.
    reception(loop& on, Door door, std::function<task<>(guest)> welcome)
        : door_(std::move(door)), welcome_(std::move(welcome)), on_(on)
    {
        work_.start(on_);
    }
    reception(const reception&) = delete;
    reception& operator=(const reception&) = delete;

    const Door& door() const noexcept { return door_; }

private:
    /// Somebody whose task is under way.
    struct visitor {
        explicit visitor(task<> t) : work(std::move(t)) {}
        task<> work;
    };

    task<> take_in()
    {
        constexpr std::size_t most = 256;
        for (;;) {
            co_await door_.knocked();
            std::erase_if(visitors_, [](const visitor& v) { return v.work.finished(); });
            std::error_code error;
            guest next = door_.open(error);
            if (error || visitors_.size() >= most) {
                // Out of file descriptors, or beset by strangers: those being heard come first.
                if (!door_.again(error)) {
                    co_await sleep_for(std::chrono::milliseconds(10));
                }
                continue;
            }
            visitors_.emplace_back(welcome_(std::move(next)));
            visitors_.back().work.start(on_);
        }
    }

    Door door_;
    std::function<task<>(guest)> welcome_;
    loop& on_;
    std::list<visitor> visitors_;
    task<> work_ = take_in();
};

}  // namespace papilio::detail
