#include "sockets.hpp"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <compare>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::example::chaos {

namespace {

class owned_fd {
public:
    explicit owned_fd(int fd) : fd_(fd) {}
    owned_fd(owned_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    owned_fd& operator=(owned_fd&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~owned_fd()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

private:
    int fd_;
};

/// The address of one end of a connection over IPv4, as the system writes it.
using address = std::pair<std::uint32_t, std::uint16_t>;

struct connection {
    owned_fd socket;
    address local;
    address remote;
};

using ask_for_address = int (*)(int, sockaddr*, socklen_t*);

bool read_address(int socket, ask_for_address ask, address& to)
{
    sockaddr_in a{};
    socklen_t size = sizeof a;
    if (ask(socket, reinterpret_cast<sockaddr*>(&a), &size) != 0 || a.sin_family != AF_INET)
        return false;
    to = {a.sin_addr.s_addr, a.sin_port};
    return true;
}

/// What `pid` has open under this number.
owned_fd borrow(const owned_fd& process, int number)
{
    return owned_fd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
}

/// Sockets are lent as long as the result lives: keep it for a moment only, since a connection does
/// not end before all that have it open have closed it.
std::vector<connection> connections_of(pid_t pid)
{
    namespace fs = std::filesystem;
    std::vector<connection> all;
    const owned_fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    std::error_code gone;
    for (fs::directory_iterator entry("/proc/" + std::to_string(pid) + "/fd", gone), end;
         !gone && entry != end; entry.increment(gone)) {
        std::error_code closed;
        const auto what = fs::read_symlink(entry->path(), closed).string();
        if (closed || !what.starts_with("socket:")) continue;
        connection c{borrow(process, std::stoi(entry->path().filename().string())), {}, {}};
        if (read_address(c.socket.get(), ::getsockname, c.local) &&
            read_address(c.socket.get(), ::getpeername, c.remote))
            all.push_back(std::move(c));
    }
    return all;
}

/// The ends at `a` of its connections with `b`.
std::vector<connection> between(pid_t a, pid_t b)
{
    auto found = connections_of(a);
    const auto others = connections_of(b);
    std::erase_if(found, [&](const connection& c) {
        return std::ranges::none_of(others, [&](const connection& o) {
            return o.local == c.remote && o.remote == c.local;
        });
    });
    return found;
}

bool attach_drop(int socket)
{
    std::array<sock_filter, 1> keep_nothing{{{BPF_RET | BPF_K, 0, 0, 0}}};
    const sock_fprog program{1, keep_nothing.data()};
    return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

void detach_drop(int socket)
{
    const int ignored = 0;
    ::setsockopt(socket, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
}

std::string reason()
{
    return std::strerror(errno);
}

}  // namespace

std::string why_not_borrow()
{
    const owned_fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const owned_fd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    if (self.get() < 0) return "pidfd_open: " + reason();
    const owned_fd again = borrow(self, socket.get());
    return again.get() < 0 ? "pidfd_getfd: " + reason() : "";
}

std::string why_not_drop()
{
    if (auto why = why_not_borrow(); !why.empty()) return why;
    const owned_fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return attach_drop(socket.get()) ? "" : "SO_ATTACH_FILTER: " + reason();
}

int end_connections(pid_t a, pid_t b)
{
    const auto all = between(a, b);
    for (const auto& c : all) ::shutdown(c.socket.get(), SHUT_RDWR);
    return static_cast<int>(all.size());
}

void drop_arrivals(pid_t at, pid_t from)
{
    for (const auto& c : between(at, from)) attach_drop(c.socket.get());
}

void let_arrive(pid_t at)
{
    for (const auto& c : connections_of(at)) detach_drop(c.socket.get());
}

}  // namespace papilio::example::chaos
