#pragma once

#include <sys/types.h>

#include <string>

namespace papilio::perf {

/// A process that delays every IP packet that is routed to its TUN device. It does not change, drop
/// or terminate anything: packets keep their content, unsegmented ones included, and TCP
/// connections pass through from end to end.
class delay_line {
public:
    /// Makes the device `name` in the network namespace `where`. The destructor removes it. Throws
    /// without the rights for this.
    delay_line(const std::string& where, const std::string& name, double milliseconds);
    ~delay_line();
    delay_line(const delay_line&) = delete;
    delay_line& operator=(const delay_line&) = delete;

private:
    pid_t maker_;
    pid_t process_ = -1;
};

}  // namespace papilio::perf
