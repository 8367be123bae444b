#include "perf/channel.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace papilio::perf {

namespace {

constexpr std::uint32_t largest = 1u << 28;  // an outcome of a million iterations is 8 MB

[[noreturn]] void fail(const char* what)
{
    throw std::system_error(errno, std::system_category(), what);
}

}  // namespace

channel::channel(channel&& from) noexcept : socket_(std::exchange(from.socket_, -1)) {}

channel& channel::operator=(channel&& from) noexcept
{
    std::swap(socket_, from.socket_);
    return *this;
}

channel::~channel()
{
    if (socket_ >= 0) close(socket_);
}

void channel::send(message_kind kind, const std::string& content)
{
    const auto size = static_cast<std::uint32_t>(content.size());
    std::string all(sizeof(size) + 1, static_cast<char>(kind));
    std::memcpy(all.data(), &size, sizeof(size));
    all += content;
    for (std::size_t done = 0; done < all.size();) {
        const auto n = ::send(socket_, all.data() + done, all.size() - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) fail("cannot reach another process of this run");
        if (n > 0) done += static_cast<std::size_t>(n);
    }
}

bool channel::read_all(void* into, std::size_t size)
{
    auto* to = static_cast<char*>(into);
    while (size > 0) {
        const auto n = read(socket_, to, size);
        if (n == 0 || (n < 0 && errno == ECONNRESET)) return false;
        if (n < 0) fail("cannot receive from another process of this run");
        to += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

std::optional<message> channel::receive()
{
    std::uint32_t size = 0;
    std::uint8_t kind = 0;
    if (!read_all(&size, sizeof(size)) || !read_all(&kind, 1)) return std::nullopt;
    if (size > largest || kind > static_cast<std::uint8_t>(message_kind::failure))
        throw std::runtime_error("a stranger is at a port of this run");
    message m{static_cast<message_kind>(kind), std::string(size, '\0')};
    if (!read_all(m.content.data(), size)) return std::nullopt;
    return m;
}

std::pair<channel, channel> joined_channels()
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("no more sockets");
    return {channel(ends[0]), channel(ends[1])};
}

std::string pack(const std::vector<std::string>& texts)
{
    std::string all;
    for (const auto& t : texts) {
        const auto size = static_cast<std::uint32_t>(t.size());
        all.append(reinterpret_cast<const char*>(&size), sizeof(size));
        all += t;
    }
    return all;
}

std::vector<std::string> unpack(const std::string& packed)
{
    std::vector<std::string> all;
    for (std::size_t at = 0; at < packed.size();) {
        std::uint32_t size = 0;
        if (packed.size() - at < sizeof(size)) break;
        std::memcpy(&size, packed.data() + at, sizeof(size));
        all.push_back(packed.substr(at + sizeof(size), size));
        at += sizeof(size) + size;
    }
    return all;
}

}  // namespace papilio::perf
