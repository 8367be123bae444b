#pragma once

#include <member/program.hpp>

#include <csignal>

namespace papilio::example::chaos {

/// What a process was asked to end by, and what it may end with then. Any other code, such as that
/// of a crash, or of a sanitizer that has found something at the end, is a fault of the process.
class end_request {
public:
    /// It was sent SIGTERM, for an end in good order, or SIGKILL.
    void add(int signal) { (signal == SIGKILL ? killed_ : told_) = true; }

    bool any() const { return killed_ || told_; }

    /// `code`: the exit code, or 128 and the number of the signal that has ended it.
    bool explains(int code) const
    {
        if (killed_ && code == exit_by_signal(SIGKILL)) return true;
        return told_ && (code == exit_ok || code == exit_by_signal(SIGTERM));
    }

private:
    bool killed_ = false;
    bool told_ = false;
};

}  // namespace papilio::example::chaos
