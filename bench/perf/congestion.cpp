#include "perf/congestion.hpp"

#include "perf/parse.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace papilio::perf {

void use_congestion(const std::string& name)
{
    const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool good = setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name.data(),
                                 static_cast<socklen_t>(name.size())) == 0;
    close(s);
    if (!good) {
        std::string allowed;
        std::getline(std::ifstream("/proc/sys/net/ipv4/tcp_allowed_congestion_control"), allowed);
        refuse("this system has, or allows, no congestion control " + name + "; it allows " +
               allowed);
    }
    setenv("PAPILIO_PERF_CONGESTION", name.c_str(), 1);  // `socket` reads it
}

std::string congestion_in_use()
{
    char name[16] = "";  // Linux allows 15 characters
    socklen_t size = sizeof(name) - 1;
    const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, &size) != 0) name[0] = '\0';
    close(s);
    return name;
}

}  // namespace papilio::perf
