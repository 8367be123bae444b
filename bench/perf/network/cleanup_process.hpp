#pragma once

#include <sys/types.h>

#include <string>

namespace papilio::perf {

/// A process that outlives this one and runs the cleanup commands after it, in reverse order. It
/// runs them however this process ends.
class cleanup_process {
public:
    cleanup_process();
    cleanup_process(const cleanup_process&) = delete;
    cleanup_process& operator=(const cleanup_process&) = delete;

    /// Waits until all commands have run. In a forked child it only closes the pipe.
    ~cleanup_process();

    /// Adds a command for the shell. Its standard error is discarded.
    void add(const std::string& command);

private:
    pid_t maker_;
    pid_t process_ = -1;
    int pipe_ = -1;
};

}  // namespace papilio::perf
