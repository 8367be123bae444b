#pragma once

#include "child_report.hpp"
#include "process_options.hpp"

#include <sys/types.h>

#include <filesystem>
#include <optional>

namespace papilio::example::chaos {

/// A process of the run. It does not outlive this object, nor this process.
class child {
public:
    /// Starts this program anew, as a member or as the host. What that prints goes to the end of
    /// `output`. Throws a `problem` when the system refuses.
    child(const process_options& o, const std::filesystem::path& output);
    ~child();
    child(const child&) = delete;
    child& operator=(const child&) = delete;

    pid_t pid() const { return pid_; }

    /// Where its reports come from; ready to be read at its end, too.
    int descriptor() const { return from_; }

    /// Reads what is there. False: it has ended.
    bool read();

    /// The next report that has been read.
    std::optional<child_report> next() { return reader_.next(); }

    void signal(int number) const;

    /// After its end: the exit code, or 128 and the number of the signal that has killed it.
    int wait();

private:
    pid_t pid_ = -1;
    int from_ = -1;
    report_reader reader_;
};

}  // namespace papilio::example::chaos
