#pragma once

#include <sys/types.h>

#include <string>

namespace papilio::perf {

/// A process that outlives this one, however that ends, to clean up after it: the commands that it
/// owes then run, last one first.
class cleanup_process {
public:
    cleanup_process();
    cleanup_process(const cleanup_process&) = delete;
    cleanup_process& operator=(const cleanup_process&) = delete;

    /// Returns when everything is clean. In a forked child this only lets go.
    ~cleanup_process();

    /// A line for the shell. What it says on standard error is thrown away.
    void add(const std::string& command);

private:
    pid_t maker_;
    pid_t process_ = -1;
    int pipe_ = -1;
};

}  // namespace papilio::perf
