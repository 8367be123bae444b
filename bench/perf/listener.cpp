#include "perf/listener.hpp"

#include "perf/interrupt.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace papilio::perf {

namespace {

using clock = std::chrono::steady_clock;

clock::time_point in_seconds(double seconds)
{
    return clock::now() +
           std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds));
}

[[noreturn]] void fail_at(int socket, const std::string& what)
{
    const int why = errno;
    if (socket >= 0) close(socket);
    throw std::system_error(why, std::system_category(), what);
}

/// Parses the first message of a peer: "2" is rank 2 of the first worker group, "2 1" is rank 2 of
/// the second one. Returns the index of the peer's channel, or -1.
long place_of(const std::string& hello, int groups, int peers)
{
    char* end = nullptr;
    const long rank = std::strtol(hello.c_str(), &end, 10);
    const long group = *end == ' ' ? std::strtol(end, &end, 10) : 0;
    const bool good = *end == '\0' && rank >= 0 && rank < peers && group >= 0 && group < groups;
    return good ? group * peers + rank : -1;
}

}  // namespace

listener::listener(const std::string& path)
    : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    if (path.size() >= sizeof(at.sun_path)) throw std::runtime_error("too long a path: " + path);
    std::strcpy(at.sun_path, path.c_str());
    if (socket_ < 0 || bind(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0 ||
        listen(socket_, 1000) != 0)
        fail_at(socket_, "cannot listen at " + path);
}

listener::listener(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    const int yes = 1;
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    if (socket_ < 0 || setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0 ||
        listen(socket_, 1000) != 0)
        fail_at(socket_, "cannot listen at port " + std::to_string(port) +
                             "; another MASTER_PORT or PAPILIO_PORT may be free");
}

listener::~listener()
{
    close(socket_);
}

std::vector<channel> listener::accept_all(int groups, int peers, double seconds,
                                          const std::function<void()>& watch)
{
    std::vector<channel> all;
    for (int i = 0; i < groups * peers; ++i) all.emplace_back(-1);
    const auto end = in_seconds(seconds);
    for (std::size_t missing = all.size(); missing > 0;) {
        pollfd door{socket_, POLLIN, 0};
        poll(&door, 1, 100);
        throw_if_interrupted();
        watch();
        if (clock::now() > end) {
            std::string who;
            for (std::size_t i = 0; i < all.size(); ++i)
                if (all[i].descriptor() < 0)
                    who += ' ' + std::to_string(i % static_cast<std::size_t>(peers));
            throw std::runtime_error("these ranks have not come:" + who);
        }
        if ((door.revents & POLLIN) == 0) continue;
        channel line(accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC));
        const auto hello = line.receive();
        if (!hello || hello->kind != message_kind::hello) continue;  // not a peer of this run
        const auto where = place_of(hello->content, groups, peers);
        if (where < 0) throw std::runtime_error("a peer of another run came: " + hello->content);
        auto& slot = all[static_cast<std::size_t>(where)];
        if (slot.descriptor() < 0) --missing;
        slot = std::move(line);
    }
    return all;
}

channel dial(const std::string& host, std::uint16_t port, double seconds)
{
    const auto end = in_seconds(seconds);
    const auto where = host + " port " + std::to_string(port);
    for (;;) {
        addrinfo wanted{};
        wanted.ai_family = AF_INET;
        wanted.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found) == 0) {
            const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
            const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (s >= 0 && connect(s, found->ai_addr, found->ai_addrlen) == 0) return channel(s);
            if (s >= 0) close(s);
        }
        if (clock::now() > end)
            throw std::runtime_error("the coordinator, rank 0, does not answer at " + where);
        wait_seconds(0.2);
    }
}

std::string own_address(const channel& line)
{
    sockaddr_in own{};
    socklen_t size = sizeof(own);
    char text[INET_ADDRSTRLEN] = "";
    if (getsockname(line.descriptor(), reinterpret_cast<sockaddr*>(&own), &size) != 0 ||
        !inet_ntop(AF_INET, &own.sin_addr, text, sizeof(text)))
        throw std::runtime_error("cannot tell this peer's own address");
    return text;
}

}  // namespace papilio::perf
