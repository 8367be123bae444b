#pragma once

#include <papilio/base/config.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Owns a file descriptor. Unlike `descriptor`, it belongs to no loop. Whoever makes one sets its
/// close-on-exec flag in the same system call: a child process that inherited it would keep a
/// connection up, or a port taken, beyond the end of this one.
class owned_fd {
public:
    explicit owned_fd(int fd = -1) noexcept : fd_(fd) {}
    owned_fd(owned_fd&& other) noexcept : fd_(other.release()) {}
    owned_fd& operator=(owned_fd&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~owned_fd()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_;
};

/// A descriptor that is held back for the moment in which the process, or the system, has no other:
/// lent out, it lets a listener accept a connection that it can only close. Otherwise the
/// connection would stay in the listener's queue and wake the loop without end.
class spare_fd {
public:
    spare_fd() noexcept { reserve(); }

    /// Frees the descriptor while `use()` runs, which returns whether it was of use. False also if
    /// there was none to free; the next call may have one.
    template <class Use>
    bool lend(Use use)
    {
        const bool useful = held_.get() >= 0;
        if (useful) held_ = owned_fd();
        const bool used = useful && use();
        reserve();
        return used;
    }

private:
    void reserve() noexcept
    {
        if (held_.get() < 0) held_ = owned_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    }

    owned_fd held_;
};

}  // namespace papilio::detail
