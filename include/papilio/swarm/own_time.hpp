#pragma once

#include <papilio/async/keep_result.hpp>
#include <papilio/async/loop.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <optional>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// A clock of the time during which this program ran, for deadlines of others: a program that was
/// stopped, or a machine that slept, has not listened meanwhile, and blames nobody for that time.
/// Somebody must ask it at least every `pace`: where nobody has for twice as long, that was a gap.
class own_time {
public:
    own_time(loop& on, duration pace) : loop_(on), pace_(pace), asked_(on.now()) {}

    time_point now() noexcept
    {
        const auto time = loop_.now();
        if ((time - asked_) / 2 > pace_) gaps_ += time - asked_;
        asked_ = time;
        return time - gaps_;
    }

    /// On the loop's clock, the time that comes as long after now as `own` does on this one; now,
    /// if that has passed.
    time_point on_loop(time_point own) noexcept
    {
        const auto time = now();
        return own > time ? later(asked_, own - time) : asked_;
    }

private:
    loop& loop_;
    duration pace_;
    time_point asked_;  // on the loop's clock
    duration gaps_{};
};

/// Fails with `errc::timed_out` at `deadline`.
inline task<> expire_at(own_time& clock, time_point deadline)
{
    while (clock.now() < deadline) {
        co_await sleep_until(clock.on_loop(deadline));
    }
    throw std::system_error(errc::timed_out);
}

/// The result of `work`; drops it and throws `errc::timed_out` when this program has run for
/// `limit` meanwhile.
template <class T>
task<T> within(own_time& clock, duration limit, task<T> work)
{
    std::optional<T> result;
    co_await when_any(keep_result<T>(std::move(work), result),
                      expire_at(clock, later(clock.now(), limit)));
    co_return std::move(*result);
}

inline task<> within(own_time& clock, duration limit, task<> work)
{
    co_await when_any(std::move(work), expire_at(clock, later(clock.now(), limit)));
}

}  // namespace papilio::detail
