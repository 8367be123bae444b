#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>

#include <condition_variable>

namespace papilio::inline PAPILIO_MODE {

/// A real loop without sockets: the steady clock, and events that other threads post. For peers
/// within one process; needs nothing but the standard library.
class thread_loop final : public loop {
public:
    ~thread_loop() override;

    time_point now() const noexcept override;

private:
    bool idle(time_point until) override;
    void wake() noexcept override;

    std::chrono::steady_clock::time_point epoch_ = std::chrono::steady_clock::now();
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
};

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/async/impl/thread_loop.hpp>
#endif
