#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

namespace papilio::inline PAPILIO_MODE {

/// Runs `on` in this thread until `work` is done, and returns its result. Throws `errc::stalled`
/// when the work has not finished and no event can ever come: a deadlock.
template <class T>
T sync_wait(loop& on, task<T> work)
{
    work.start(on);
    while (!work.finished())
        if (!on.run_one()) throw std::system_error(errc::stalled);
    return work.result();
}

}  // namespace papilio
