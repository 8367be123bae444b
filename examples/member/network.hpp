#pragma once

#include "stop.hpp"

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/spawn.hpp>

#include <future>
#include <stop_token>
#include <thread>
#include <utility>

namespace papilio::example {

/// A loop with sockets, and the thread that runs it: signs of life, probes and requests for the
/// model are answered there while another thread trains. What belongs to the loop is made, used and
/// destroyed by tasks that are handed in here, before this dies.
class network {
public:
    network() = default;
    network(const network&) = delete;
    network& operator=(const network&) = delete;

    asio_loop& loop() noexcept { return loop_; }

    /// Starts `work` over there. Once `stop` is requested it is dropped, if it has not finished,
    /// and its future holds `std::errc::operation_canceled`.
    template <class T>
    std::future<T> start(task<T> work, std::stop_token stop = {})
    {
        return spawn(loop_, unless_stopped<T>(std::move(work), std::move(stop)));
    }

    /// The same, and waits for the result here.
    template <class T>
    T wait(task<T> work, std::stop_token stop = {})
    {
        return start(std::move(work), std::move(stop)).get();
    }

    /// Calls `work()` over there and waits for what it returns.
    template <class F>
    auto call(F work)
    {
        return wait(calling(work));
    }

private:
    template <class F>
    static auto calling(F& work) -> task<decltype(work())>
    {
        co_return work();
    }

    asio_loop loop_;
    std::jthread thread_{[this](std::stop_token stop) { loop_.run(stop); }};
};

}  // namespace papilio::example
