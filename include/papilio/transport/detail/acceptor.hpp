#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/log.hpp>
#include <papilio/base/resources.hpp>
#include <papilio/transport/arrivals.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// By what a handshake tells its acceptor how far the newcomer has come. The acceptor must outlive
/// it.
class newcomer {
public:
    newcomer(arrivals& among, arrivals::id self) noexcept : among_(&among), self_(self) {}

    /// It has said hello: when there are too many newcomers, silent ones go first.
    void spoke() const noexcept { among_->spoke(self_); }

private:
    arrivals* among_;
    arrivals::id self_;
};

/// Accepts connections and runs one handshake task per connection; `arrivals` says who goes when
/// there are too many. Whatever fails, it goes on accepting. Belongs to `on`. A listener has
/// - `connection`: what it accepts
/// - `task<> readable()`: finishes when `accept` is worth a try
/// - `connection accept(std::error_code&)`: the next connection, without blocking
/// - `bool would_block(error)`: whether `error` means that there is none at the moment
/// - `bool refuse()`: closes the next connection, for want of descriptors; false: it could not
/// - `network_address address(connection&)`: where a connection comes from
template <class Listener>
class acceptor {
public:
    using connection = typename Listener::connection;
    using handshake = std::function<task<>(connection, newcomer)>;

    /// `authenticate` authenticates a connection. It must finish within bounded time.
    acceptor(loop& on, Listener listener, handshake authenticate, arrival_limits limits = {})
        : listener_(std::move(listener)),
          handshake_(std::move(authenticate)),
          on_(on),
          newcomers_(limits)
    {
        run_.start(on_);
    }
    acceptor(const acceptor&) = delete;
    acceptor& operator=(const acceptor&) = delete;

    const Listener& listener() const noexcept { return listener_; }

private:
    /// A handshake that is under way.
    struct attempt {
        attempt(arrivals::id n, task<> t) : number(n), work(std::move(t)) {}
        arrivals::id number;
        task<> work;
    };

    enum class status { accepted, nothing_there, troubled };

    task<> run()
    {
        constexpr int turn = 64;  // connections until other tasks have theirs
        for (;;) {
            status last = status::troubled;
            try {
                co_await listener_.readable();
                last = status::accepted;
                for (int i = 0; i < turn && last == status::accepted; ++i) last = accept_next();
            } catch (const std::exception& failure) {
                log_trouble(failure.what());
                last = status::troubled;
            }
            if (last == status::troubled)
                co_await sleep_for(std::chrono::milliseconds(100));
            else
                co_await yield{};
        }
    }

    status accept_next()
    {
        std::error_code error;
        connection next = listener_.accept(error);
        if (!error) {
            take_in(std::move(next));
            troubled_ = false;
            return status::accepted;
        }
        if (listener_.would_block(error)) return status::nothing_there;
        if (error == std::errc::connection_aborted || error == std::errc::interrupted)
            return status::accepted;
        log_trouble(error.message());
        return lacks_resources(error) && listener_.refuse() ? status::accepted : status::troubled;
    }

    void take_in(connection next)
    {
        for (auto at = running_.begin(); at != running_.end();) {
            if (at->work.finished()) newcomers_.left(at->number);
            at = at->work.finished() ? running_.erase(at) : std::next(at);
        }
        const auto [number, victim] = newcomers_.arrive(listener_.address(next), on_.now());
        if (victim) drop(*victim);
        if (victim == number) return;
        try {
            running_.emplace_back(number, handshake_(std::move(next), {newcomers_, number}));
        } catch (...) {
            newcomers_.left(number);
            throw;
        }
        running_.back().work.start(on_);
    }

    void drop(arrivals::id victim)
    {
        std::erase_if(running_, [&](const attempt& a) { return a.number == victim; });
        ++dropped_;
        if (logged_ && on_.now() < *logged_ + std::chrono::seconds(10)) return;
        logged_ = on_.now();
        log(log_level::warning, "newcomers dropped", {"count", "why"}, std::exchange(dropped_, 0),
            "too many handshakes are under way; the oldest of a crowd go first");
    }

    /// Once, until a connection is accepted again: attempts follow each other quickly.
    void log_trouble(const std::string& why)
    {
        if (std::exchange(troubled_, true)) return;
        log(log_level::warning, "accept failed", {"why"}, why);
    }

    Listener listener_;
    handshake handshake_;
    loop& on_;
    arrivals newcomers_;
    std::list<attempt> running_;
    bool troubled_ = false;
    std::uint64_t dropped_ = 0;  // that are not in the log yet
    std::optional<time_point> logged_;
    task<> run_ = run();
};

}  // namespace papilio::detail
