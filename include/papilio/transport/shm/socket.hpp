#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/asio_operation.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/shm/memory.hpp>
#include <papilio/wire/hello.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <system_error>

// Unix sockets in the abstract namespace, whose names begin with a zero and are no files: a process
// that is killed leaves nothing behind, and the system tells the other end at once.
namespace papilio::inline PAPILIO_MODE::shm::detail {

struct socket_name {
    explicit socket_name(const std::string& name)
    {
        if (name.size() + 1 > sizeof where.sun_path)
            throw std::system_error(errc::bad_argument,
                                    "the name of an address in shared memory may have " +
                                        std::to_string(sizeof where.sun_path - 1) + " bytes, not " +
                                        std::to_string(name.size()) + ": " + name);
        where.sun_family = AF_UNIX;
        std::memcpy(where.sun_path + 1, name.data(), name.size());
        // Without a name, the system chooses one that is free.
        size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) +
                                      (name.empty() ? 0 : 1 + name.size()));
    }
    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&where); }

    sockaddr_un where{};
    socklen_t size;
};

inline owned_fd new_socket()
{
    owned_fd s(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (s.get() < 0) throw_errno("cannot make a Unix socket");
    return s;
}

inline owned_fd listen_at(const std::string& name)
{
    owned_fd s = new_socket();
    const socket_name at(name);
    if (::bind(s.get(), at.get(), at.size) != 0 || ::listen(s.get(), 128) != 0) {
        const std::string what = "cannot listen at the name \"" + name + '"';
        throw_errno(what.c_str());
    }
    return s;
}

inline std::string name_of(int listening)
{
    sockaddr_un where{};
    socklen_t size = sizeof where;
    if (::getsockname(listening, reinterpret_cast<sockaddr*>(&where), &size) != 0)
        throw_errno("cannot tell a socket's name");
    const auto before = offsetof(sockaddr_un, sun_path) + 1;
    return {where.sun_path + 1, size > before ? size - before : 0};
}

/// Connects or fails at once: the other side may not have started yet, or its queue may be full.
inline owned_fd connect_to(const std::string& name)
{
    owned_fd s = new_socket();
    const socket_name to(name);
    if (::connect(s.get(), to.get(), to.size) != 0) {
        const std::string what = "cannot connect to the name \"" + name + '"';
        throw_errno(what.c_str());
    }
    return s;
}

/// Throws `errc::refused` unless the other end is a process of the same user.
inline void check_user(int socket)
{
    ucred other{};
    socklen_t size = sizeof other;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &other, &size) != 0)
        throw std::system_error(errc::refused, "the user of the other process is unknown");
    if (other.uid != ::geteuid())
        throw std::system_error(errc::refused, "the other process belongs to user " +
                                                   std::to_string(other.uid) + ", not to " +
                                                   std::to_string(::geteuid()));
}

/// Sends all of `what` and, with its first byte, a copy of the descriptor `file`, if there is one.
/// The bytes must be few enough to fit the socket's buffer.
inline void send_all(int socket, bytes what, const owned_fd& file = owned_fd())
{
    iovec content{const_cast<std::byte*>(what.data()), what.size()};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    if (file.get() >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* const head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        const int fd = file.get();
        std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
    }
    const auto n = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n != static_cast<ssize_t>(what.size())) throw std::system_error(errc::disconnected);
}

/// Reads what has arrived and returns the number of bytes, zero if there are none. A descriptor
/// that comes with them is stored in `file`. Throws `errc::disconnected` at the end.
inline std::size_t receive_some(int socket, mutable_bytes into, owned_fd& file)
{
    iovec content{into.data(), into.size()};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen =
        CMSG_LEN(sizeof(int));  // the system closes descriptors that do not fit
    const auto n = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const cmsghdr* const head = n >= 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof(int))) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
        file = owned_fd(fd);
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (n <= 0) throw std::system_error(errc::disconnected);
    return static_cast<std::size_t>(n);
}

/// Reads until `into` is full; see `receive_some`.
inline task<> receive_all(descriptor& socket, mutable_bytes into, owned_fd& file)
{
    while (!into.empty()) {
        const auto n = receive_some(socket.get(), into, file);
        into = into.subspan(n);
        if (n == 0) {
            co_await socket.readable();
        }
    }
}

}  // namespace papilio::shm::detail
