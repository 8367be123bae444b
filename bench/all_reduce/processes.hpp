#pragma once

#include <papilio/base/check.hpp>

#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace papilio::bench {

/// Zeroes that the processes forked after it share.
template <class T>
class shared_array {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    explicit shared_array(std::size_t size)
        : size_(size),
          data_(static_cast<T*>(
              mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)))
    {
        if (data_ == MAP_FAILED) throw std::bad_alloc();
    }
    shared_array(const shared_array&) = delete;
    shared_array& operator=(const shared_array&) = delete;
    ~shared_array() { munmap(data_, bytes()); }

    std::size_t size() const noexcept { return size_; }
    T& operator[](std::size_t i) const
    {
        PAPILIO_CHECK(i < size_, "beyond the shared memory");
        return data_[i];
    }

private:
    std::size_t bytes() const noexcept { return (size_ > 0 ? size_ : 1) * sizeof(T); }

    std::size_t size_;
    T* data_;
};

/// Where processes wait for each other.
class meeting_point {
public:
    explicit meeting_point(int processes)
    {
        pthread_barrierattr_t shared;
        pthread_barrierattr_init(&shared);
        pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
        pthread_barrier_init(&barrier_[0], &shared, static_cast<unsigned>(processes));
        pthread_barrierattr_destroy(&shared);
    }

    void meet() { pthread_barrier_wait(&barrier_[0]); }

private:
    shared_array<pthread_barrier_t> barrier_{1};
};

namespace detail {

[[noreturn]] inline void be_child(int rank, pid_t parent, const std::function<void(int)>& body)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    try {
        body(rank);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "rank %d: %s\n", rank, failure.what());
        _exit(1);
    }
    std::fflush(stdout);
    _exit(0);
}

inline std::string end_of(int status)
{
    return WIFSIGNALED(status) ? "was killed by signal " + std::to_string(WTERMSIG(status))
                               : "failed";
}

}  // namespace detail

/// Runs `body(rank)` in a process of its own for each rank, until all have ended. When one fails,
/// the others are killed, for they may be waiting for it, and `std::runtime_error` tells which.
inline void run_processes(int count, const std::function<void(int)>& body)
{
    std::fflush(nullptr);
    const auto parent = getpid();
    std::vector<pid_t> children;
    std::string failure;
    for (int rank = 0; rank < count && failure.empty(); ++rank) {
        const auto child = fork();
        if (child == 0) detail::be_child(rank, parent, body);
        if (child < 0) failure = "cannot start another process";
        children.push_back(child);
    }
    const auto kill_all = [&] {
        for (const auto child : children)
            if (child > 0) kill(child, SIGKILL);
    };
    if (!failure.empty()) kill_all();

    for (std::size_t ended = 0; ended < children.size(); ++ended) {
        int status = 0;
        const auto who = wait(&status);
        if (who < 0) break;
        for (std::size_t rank = 0; rank < children.size(); ++rank) {
            if (children[rank] != who) continue;
            children[rank] = -1;
            if (status == 0 || !failure.empty()) continue;
            failure = "the process of rank " + std::to_string(rank) + ' ' + detail::end_of(status);
            kill_all();
        }
    }
    if (!failure.empty()) throw std::runtime_error(failure);
}

}  // namespace papilio::bench
