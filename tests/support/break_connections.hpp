#pragma once

// Breaks links as a network does: neither of the transports at the ends has asked for it.

#include <netinet/in.h>
#include <sys/socket.h>

namespace papilio::test {

/// Shuts down every connected stream socket of `family` in this process, other than its standard
/// streams. Returns how many.
inline int break_connections(int family)
{
    int broken = 0;
    for (int fd = 3; fd < 1024; ++fd) {
        sockaddr_storage other{};
        socklen_t size = sizeof other;
        if (::getpeername(fd, reinterpret_cast<sockaddr*>(&other), &size) != 0) continue;
        if (other.ss_family == family && ::shutdown(fd, SHUT_RDWR) == 0) ++broken;
    }
    return broken;
}

}  // namespace papilio::test
