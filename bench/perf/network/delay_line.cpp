#include "perf/network/delay_line.hpp"

#include "perf/network/namespace.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <stdexcept>
#include <vector>

namespace papilio::perf {

namespace {

using clock = std::chrono::steady_clock;

/// Opens a TUN device. Packets carry the kernel's header for segmentation and checksums.
int open_device(const std::string& name)
{
    const int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ifreq request{};
    std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    const unsigned long offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    if (device < 0 || ioctl(device, TUNSETIFF, &request) < 0 ||
        ioctl(device, TUNSETOFFLOAD, offloads) < 0)
        throw std::runtime_error("cannot make a TUN device: " + std::string(std::strerror(errno)));
    return device;
}

struct packet {
    clock::time_point due;
    std::vector<char> content;
};

/// The packets in transit, and a pool of free buffers.
class line {
public:
    line(int device, clock::duration delay) : device_(device), delay_(delay), room_(70'000) {}

    void run()
    {
        for (;;) {
            const auto now = clock::now();
            while (!held_.empty() && held_.front().due <= now && release()) continue;
            wait(now);
            while (take()) continue;
        }
    }

private:
    bool take()
    {
        const auto n = read(device_, room_.data(), room_.size());
        if (n <= 0) return false;
        packet p{clock::now() + delay_, {}};
        if (!spare_.empty()) {
            p.content = std::move(spare_.back());
            spare_.pop_back();
        }
        p.content.assign(room_.begin(), room_.begin() + n);
        held_.push_back(std::move(p));
        return true;
    }

    bool release()
    {
        auto& p = held_.front();
        // A packet that the device does not take is lost.
        if (write(device_, p.content.data(), p.content.size()) < 0 && errno == EAGAIN) return false;
        if (spare_.size() < 4096) spare_.push_back(std::move(p.content));
        held_.pop_front();
        return true;
    }

    void wait(clock::time_point now) const
    {
        pollfd device{device_, POLLIN, 0};
        const auto left = held_.empty() ? clock::duration(std::chrono::hours(1))
                                        : std::max(held_.front().due - now, clock::duration{});
        const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
        const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
        ppoll(&device, 1, &time, nullptr);
    }

    int device_;
    clock::duration delay_;
    std::vector<char> room_;
    std::deque<packet> held_;
    std::vector<std::vector<char>> spare_;
};

[[noreturn]] void hold_packets(const std::string& where, const std::string& name, double ms,
                               int ready)
{
    prctl(PR_SET_TIMERSLACK, 1);
    sched_param urgent{};
    urgent.sched_priority = 1;
    sched_setscheduler(0, SCHED_RR, &urgent);  // measuring processes must not add to the delay
    try {
        enter_namespace(where);
        const int device = open_device(name);
        if (write(ready, "+", 1) != 1) _exit(1);
        close(ready);
        const std::chrono::duration<double, std::milli> delay(ms);
        line(device, std::chrono::duration_cast<clock::duration>(delay)).run();
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "papilio-perf: %s\n", failure.what());
    }
    _exit(1);
}

}  // namespace

delay_line::delay_line(const std::string& where, const std::string& name, double milliseconds)
    : maker_(getpid())
{
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
    std::fflush(nullptr);
    process_ = fork();
    if (process_ < 0) throw std::runtime_error("cannot fork");
    if (process_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        std::signal(SIGINT, SIG_IGN);
        if (getppid() != maker_) _exit(1);
        close(ready[0]);
        hold_packets(where, name, milliseconds, ready[1]);
    }
    close(ready[1]);
    char sign = 0;
    const bool stands = read(ready[0], &sign, 1) == 1;
    close(ready[0]);
    if (!stands) throw std::runtime_error("the program that delays packets did not start");
}

delay_line::~delay_line()
{
    if (getpid() != maker_) return;
    kill(process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace papilio::perf
