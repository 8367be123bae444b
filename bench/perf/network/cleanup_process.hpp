#pragma once

#include <sys/types.h>

#include <string>

namespace papilio::perf {

/// A process that outlives this one, however that ends, to clean up after it: the commands that it
/// owes then run, last one first.
class janitor {
public:
    janitor();
    janitor(const janitor&) = delete;
    janitor& operator=(const janitor&) = delete;

    /// Returns when everything is clean. In a forked child this only lets go.
    ~janitor();

    /// A line for the shell. What it says on standard error is thrown away.
    void owe(const std::string& command);

private:
    pid_t maker_;
    pid_t process_ = -1;
    int pipe_ = -1;
};

}  // namespace papilio::perf
