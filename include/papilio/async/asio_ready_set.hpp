#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/asio_context.hpp>
#include <papilio/async/asio_loop.hpp>
#include <papilio/async/asio_operation.hpp>
#include <papilio/async/gate.hpp>
#include <papilio/base/config.hpp>

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

/// Tells which descriptors of a loop are ready to be read or written, for as long as each is a
/// member. A wait of Asio's is for one event of one descriptor, and takes a system call to begin;
/// here one call tells of all, and Asio waits for the set as a whole, while the loop sleeps.
///
/// The system tells of each event once (EPOLLET). So a gate of the member remembers it, until
/// whoever reads or writes finds that there is no more.
class ready_set final : asio_loop::watcher {
public:
    /// The one of `on`, which lives as long as `on`. Throws the system's error if it has no
    /// descriptor left for it.
    static ready_set& of(asio_loop& on)
    {
        auto& held = on.native().ready;
        if (!held) held = std::make_shared<ready_set>(on);
        return *static_cast<ready_set*>(held.get());
    }

    explicit ready_set(asio_loop& on) : watcher(on), on_(on), set_(on, new_set()) {}

    /// A descriptor in the set, which is closed only after it has left: the next one may have the
    /// same number.
    class member {
    public:
        /// Throws the system's error if it cannot watch `fd`.
        member(ready_set& in, int fd) : in_(in), fd_(fd)
        {
            readable_.open();
            writable_.open();
            in_.add(*this);
        }
        member(const member&) = delete;
        member& operator=(const member&) = delete;
        ~member() { leave(); }

        /// Nothing is told any more. Tasks that wait are not woken.
        void leave() noexcept
        {
            if (!left_) in_.remove(*this);
            left_ = true;
        }

        /// Awaiting it lasts until a read, or a write, is worth a try.
        gate::passage readable() noexcept { return readable_.opened(); }
        gate::passage writable() noexcept { return writable_.opened(); }

        /// A read, or a write, would have had to wait.
        void read_blocked() noexcept { readable_.close(); }
        void write_blocked() noexcept { writable_.close(); }

        /// A read has found less than it had space for: nothing is left but the end of the stream,
        /// of which nothing more is told.
        void read_short() noexcept
        {
            if (!ended_) readable_.close();
        }

    private:
        friend class ready_set;

        /// True if it was not known already. That the other end writes no more (EPOLLRDHUP) is
        /// found by reading, and does not make a write worth a try.
        bool note(std::uint32_t events) noexcept
        {
            constexpr std::uint32_t failure = EPOLLHUP | EPOLLERR, end = EPOLLRDHUP | failure;
            ended_ = ended_ || events & end;
            const bool read = events & (EPOLLIN | end) && !readable_.is_open();
            const bool write = events & (EPOLLOUT | failure) && !writable_.is_open();
            if (read) readable_.open();
            if (write) writable_.open();
            return read || write;
        }

        ready_set& in_;
        int fd_;
        bool ended_ = false;
        bool left_ = false;
        gate readable_;
        gate writable_;
    };

private:
    static int new_set()
    {
        const int fd = ::epoll_create1(EPOLL_CLOEXEC);
        if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot make an epoll");
        return fd;
    }

    void add(member& m)
    {
        epoll_event wanted{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {&m}};
        if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, m.fd_, &wanted) != 0)
            throw std::system_error(errno, std::generic_category(), "cannot watch a descriptor");
        ++members_;
    }

    /// A loop that waits for nothing else is to notice it.
    void remove(member& m) noexcept
    {
        ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, m.fd_, nullptr);
        if (--members_ == 0) woken_.reset();
    }

    bool poll() override
    {
        if (members_ == 0) return false;
        std::array<epoll_event, 64> events;
        const int n = ::epoll_wait(set_.get(), events.data(), static_cast<int>(events.size()), 0);
        bool found = false;
        for (int i = 0; i < n; ++i) {
            const auto& e = events[static_cast<std::size_t>(i)];
            found = static_cast<member*>(e.data.ptr)->note(e.events) || found;
        }
        return found;
    }

    /// From now on Asio wakes the loop when the set has something to tell: once, which is begun
    /// anew before the next sleep.
    void before_sleep() override
    {
        if (members_ == 0 || (woken_ && !woken_->finished())) return;
        woken_.emplace(has_events(set_));
        woken_->start(on_);
    }
    void after_sleep() override {}

    static task<> has_events(descriptor& set) { co_await set.readable(); }

    asio_loop& on_;
    descriptor set_;
    std::size_t members_ = 0;
    std::optional<task<>> woken_;
};

}  // namespace papilio
