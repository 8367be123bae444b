#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>

#include <chrono>
#include <memory>
#include <stop_token>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

namespace detail {
struct asio_io;
}

/// The real loop: the steady clock, and Asio's io_context for sockets. Asio's handlers post events
/// and do nothing else, so that tasks are resumed here exactly as in a simulation.
class asio_loop final : public loop {
public:
    asio_loop();
    ~asio_loop() override;

    time_point now() const noexcept override { return time_point(clock::now() - epoch_); }

    /// A source of events that the system does not report, such as memory that another process
    /// writes to. The loop polls it between events, then for a short while when there are none, and
    /// then sleeps until the other side wakes it. Must not outlive the loop.
    class watcher {
    public:
        explicit watcher(asio_loop& on) : on_(on) { on_.watchers_.push_back(this); }
        watcher(const watcher&) = delete;
        watcher& operator=(const watcher&) = delete;
        virtual ~watcher() { std::erase(on_.watchers_, this); }

    private:
        friend class asio_loop;

        /// Posts the events that have become due; false if there are none.
        virtual bool poll() = 0;

        /// The loop is about to sleep. From now until `after_sleep`, the other side must wake it
        /// through a descriptor.
        virtual void before_sleep() = 0;
        virtual void after_sleep() = 0;

        asio_loop& on_;
    };

    /// Runs until `stop` is requested, from any thread, and waits for other threads to `spawn` work
    /// here. For a thread that does nothing else.
    void run(std::stop_token stop);

    /// What Asio has of the loop, for authors of transports: see `asio_context`.
    detail::asio_io& native() noexcept { return *io_; }

private:
    using clock = std::chrono::steady_clock;

    bool idle(time_point until) override;
    bool poll_watchers();
    bool poll_for_a_while(time_point begun, time_point until);
    bool wait(time_point until);
    void wake() noexcept override;

    clock::time_point epoch_ = clock::now();
    std::vector<watcher*> watchers_;
    std::unique_ptr<detail::asio_io> io_;  // one of the watchers may be its
    int unasked_ = 0;                      // times in a row that Asio was not asked
    bool brief_ = false;  // the last wait ended soon, and the next one probably will
};

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/async/impl/asio_loop.hpp>
#endif
