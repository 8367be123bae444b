#pragma once

#include <papilio/async/when_all.hpp>

#include <utility>
#include <vector>

namespace papilio::test {

/// Lasts until all of `tasks` are done.
inline task<> all_of(std::vector<task<>> tasks)
{
    co_await when_all(std::move(tasks));
}

/// Lasts until one of `tasks` is done.
inline task<> any_of(std::vector<task<>> tasks)
{
    co_await when_any(std::move(tasks));
}

/// Counts itself in `count` while it lives, to show what a dropped task takes with it.
struct witness {
    explicit witness(int& c) noexcept : count(&c) { ++*count; }
    witness(const witness&) = delete;
    witness& operator=(const witness&) = delete;
    ~witness() { --*count; }
    int* count;
};

/// Runs all events that there are and that they lead to.
inline void run_dry(loop& on)
{
    while (on.run_one()) {
    }
}

}  // namespace papilio::test
