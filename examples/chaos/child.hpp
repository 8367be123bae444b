#pragma once

#include "child_report.hpp"
#include "end_request.hpp"
#include "process_options.hpp"

#include <sys/types.h>

#include <filesystem>
#include <optional>

namespace papilio::example::chaos {

/// A process of the run, in a process group of its own: a terminal's Ctrl-C does not reach it. It
/// does not outlive this object, nor this process.
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

    /// Asks it to end, by SIGTERM or SIGKILL.
    void end(int signal);

    /// Whether it was asked to end.
    bool asked_to_end() const { return asked_.any(); }

    /// Whether what it was asked for explains that it has ended with `code`.
    bool explains(int code) const { return asked_.explains(code); }

    /// After its end: the exit code, or 128 and the number of the signal that has killed it.
    int wait();

private:
    pid_t pid_ = -1;
    int from_ = -1;
    report_reader reader_;
    end_request asked_;
};

}  // namespace papilio::example::chaos
