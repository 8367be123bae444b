#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>

#include <optional>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Puts what `work` returns into `result`, for tasks that run beside others by `when_any`.
template <class T>
task<> keep_result(task<T> work, std::optional<T>& result)
{
    result.emplace(co_await std::move(work));
}

}  // namespace papilio::detail
