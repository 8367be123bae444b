#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/cancellation.hpp>
#include <papilio/async/spawn.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>

#include <functional>
#include <future>
#include <optional>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// A loop with sockets, and the thread that runs it: between calls, too, the loop sends signs of
/// life, takes in what comes early and answers who asks how a call has ended, while other threads
/// compute for as long as they like. Objects that belong to the loop must be made, used and
/// destroyed by tasks that run here, before the loop is destroyed; that drops what still runs.
class background_loop {
public:
    background_loop() = default;
    background_loop(const background_loop&) = delete;
    background_loop& operator=(const background_loop&) = delete;

    asio_loop& loop() noexcept { return loop_; }

    /// Starts `work` on the loop. Once `stop` is requested, unfinished work is dropped, and its
    /// future holds `std::errc::operation_canceled`.
    template <class T>
    std::future<T> start(task<T> work, std::stop_token stop = {})
    {
        return spawn(loop_, unless_stopped<T>(std::move(work), std::move(stop)));
    }

    /// The same, and blocks until the result is there.
    template <class T>
    T wait(task<T> work, std::stop_token stop = {})
    {
        return start(std::move(work), std::move(stop)).get();
    }

    /// Calls `work()` on the loop, and blocks until it has returned.
    template <class F>
    auto call(F work)
    {
        using result = decltype(work());
        if constexpr (std::is_void_v<result>) {
            const std::function<void()> calls = [&] { work(); };
            wait(calling(calls));
        } else {
            std::optional<result> found;
            const std::function<void()> calls = [&] { found.emplace(work()); };
            wait(calling(calls));
            return *std::move(found);
        }
    }

private:
    /// No template over what is called: g++ warns of frames that hold a type without linkage, such
    /// as a lambda of a function that is not inline.
    static task<> calling(const std::function<void()>& work)
    {
        work();
        co_return;
    }

    asio_loop loop_;
    std::jthread thread_{[this](std::stop_token stop) { loop_.run(stop); }};
};

}  // namespace papilio
