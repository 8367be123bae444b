#pragma once

#include <papilio/async/asio_background_loop.hpp>

#include <future>
#include <stop_token>
#include <utility>

namespace papilio::example {

/// The host's task on the background loop. The destructor cancels it and waits, so that an
/// exception on this thread does not leave it running on destroyed objects.
struct hosted_run {
    hosted_run(background_loop& on, task<> work) : end(on.start(std::move(work), drop.get_token()))
    {
    }
    hosted_run(const hosted_run&) = delete;
    hosted_run& operator=(const hosted_run&) = delete;
    ~hosted_run()
    {
        drop.request_stop();
        if (end.valid()) end.wait();
    }

    bool over() const { return end.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

    std::stop_source drop;
    std::future<void> end;
};

}  // namespace papilio::example
