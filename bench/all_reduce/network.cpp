#include "all_reduce/network.hpp"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace papilio::bench {

namespace {

constexpr const char* setting = "/proc/sys/net/ipv4/tcp_congestion_control";

void bring_up_loopback()
{
    const int s = socket(AF_INET, SOCK_DGRAM, 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    const bool up = s >= 0 && ioctl(s, SIOCSIFFLAGS, &request) == 0;
    const int why = errno;
    if (s >= 0) close(s);
    if (!up) throw std::system_error(why, std::system_category(), "cannot bring up loopback");
}

}  // namespace

void enter_network_with(const std::string& congestion)
{
    if (congestion == default_congestion()) return;
    if (unshare(CLONE_NEWNET) != 0)
        throw std::runtime_error(
            "may not make a network namespace to set the congestion control in (" +
            std::string(std::strerror(errno)) + "). Run as root, or have root write " + congestion +
            " to " + setting + " and leave out --congestion");
    bring_up_loopback();
    std::ofstream(setting) << congestion << std::flush;
    if (default_congestion() != congestion)
        throw std::runtime_error("this kernel does not let a network namespace use " + congestion +
                                 "; see /proc/sys/net/ipv4/tcp_allowed_congestion_control");
}

std::string default_congestion()
{
    std::string name;
    std::ifstream(setting) >> name;
    return name.empty() ? "unknown" : name;
}

std::string machine()
{
    std::string model = "unknown processor";
    std::ifstream cpus("/proc/cpuinfo");
    for (std::string line; std::getline(cpus, line);) {
        if (!line.starts_with("model name")) continue;
        model = line.substr(line.find(':') + 2);
        break;
    }
    utsname system{};
    uname(&system);
    return model + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores, " +
           system.sysname + ' ' + system.release;
}

}  // namespace papilio::bench
