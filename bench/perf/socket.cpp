#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

/// Replaces the C library's `socket` in this program and its libraries. All TCP connections of a
/// run must use the same congestion control, and rivals have no option for it. The variable
/// PAPILIO_PERF_CONGESTION names it; `use_congestion` has checked and set it. An accepted socket
/// inherits it from its listener.
extern "C" int socket(int domain, int type, int protocol) noexcept
{
    const int s = static_cast<int>(syscall(SYS_socket, domain, type, protocol));
    const char* name = std::getenv("PAPILIO_PERF_CONGESTION");
    const bool stream = (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM;
    if (s >= 0 && name && stream && (domain == AF_INET || domain == AF_INET6))
        setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, static_cast<socklen_t>(strlen(name)));
    return s;
}
