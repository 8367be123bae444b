#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

/// Stands before the C library's `socket`, for this program and the libraries in it: all of a
/// run's TCP connections are to use the same congestion control, and rivals have no option for it.
/// PAPILIO_PERF_CONGESTION names it, which `use_congestion` has tried; what is accepted inherits it
/// from what listens.
extern "C" int socket(int domain, int type, int protocol) noexcept
{
    const int s = static_cast<int>(syscall(SYS_socket, domain, type, protocol));
    const char* name = std::getenv("PAPILIO_PERF_CONGESTION");
    const bool stream = (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM;
    if (s >= 0 && name && stream && (domain == AF_INET || domain == AF_INET6))
        setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, static_cast<socklen_t>(strlen(name)));
    return s;
}
