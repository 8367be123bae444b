#pragma once

#include <sys/types.h>

#include <string>

namespace papilio::perf {

/// A process that holds every IP packet that is routed to its TUN device for a while, and then lets
/// it go on. Packets stay as they are, segments that the kernel has yet to cut included, and none
/// is dropped: connections run through it from end to end.
class delay_line {
public:
    /// Makes the device `name` in the network namespace `where`; it is gone with this. Throws where
    /// this process may not.
    delay_line(const std::string& where, const std::string& name, double milliseconds);
    ~delay_line();
    delay_line(const delay_line&) = delete;
    delay_line& operator=(const delay_line&) = delete;

private:
    pid_t maker_;
    pid_t process_ = -1;
};

}  // namespace papilio::perf
