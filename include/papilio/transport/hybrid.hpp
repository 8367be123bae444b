#pragma once

#include <papilio/async/timeout.hpp>
#include <papilio/transport/mesh.hpp>
#include <papilio/transport/shm.hpp>
#include <papilio/transport/tcp.hpp>

#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio::hybrid {

/// Where a peer is found: over TCP by anybody, in shared memory by others of its host. Either may
/// be empty.
struct address {
    papilio::tcp::endpoint tcp;
    shm::address local;

    friend bool operator==(const address&, const address&) = default;
};

/// How a peer's links behave. Peers of a group must agree on `tcp.group`, `tcp.connections` and
/// `ring_bytes`.
struct options {
    papilio::tcp::options tcp = {};  ///< of links over TCP, and what all links have in common
    std::size_t ring_bytes = shm::options{}.ring_bytes;  ///< of links in shared memory
};
static_assert(std::is_trivially_destructible_v<options>);

namespace detail {

/// Links by whichever way is best: what a mesh asks of its medium.
class medium {
public:
    using address = hybrid::address;

    medium(asio_loop& on, const options& o)
        : loop_(&on),
          tcp_(on, tcp::medium_options(o.tcp)),
          local_(on, o.ring_bytes),
          patience_(o.tcp.handshake_timeout / 2)
    {
    }

    bool reaches(const address& from, const address& to) const
    {
        return tcp::detail::medium::reaches(from.tcp, to.tcp) || share_memory(from.local, to.local);
    }
    static std::string text(const address& a)
    {
        const bool both = !a.tcp.host.empty() && !a.local.name.empty();
        return (a.tcp.host.empty() ? "" : to_string(a.tcp)) + (both ? " or " : "") +
               (a.local.name.empty() ? "" : to_string(a.local));
    }

    /// Whoever can be found over TCP can be found in shared memory before.
    void listen(const address& own, std::function<task<>(std::unique_ptr<incoming>)> welcome)
    {
        local_.listen(own.local, welcome);
        tcp_.listen(own.tcp, std::move(welcome));
    }
    address local() const { return {tcp_.local(), local_.local()}; }

    /// That two processes share memory is proven by doing it; where it does not work, though it
    /// should, there is TCP.
    task<std::unique_ptr<byte_stream>> dial(address to, wire::hello h)
    {
        std::unique_ptr<byte_stream> made;
        std::error_code trouble;
        if (share_memory(local_.local(), to.local)) {
            try {
                task<std::unique_ptr<byte_stream>> attempt = local_.dial(to.local, h);
                made = co_await timeout(std::move(attempt), loop_->now() + patience_);
            } catch (const std::system_error& failure) {
                trouble = failure.code();
            }
        }
        if (made) co_return made;
        if (to.tcp.host.empty()) throw std::system_error(trouble);
        co_return co_await tcp_.dial(to.tcp, h);
    }

private:
    static bool share_memory(const shm::address& a, const shm::address& b)
    {
        return shm::detail::medium::reaches(a, b) && a.host == b.host;
    }

    asio_loop* loop_;
    tcp::detail::medium tcp_;
    shm::detail::medium local_;
    duration patience_;
};

}  // namespace detail

/// One peer of a mesh in which every pair has the best link there is: shared memory on one host,
/// TCP between hosts; see `mesh` for its members, and `kind` for what was chosen. Peer `i` is found
/// at `peers[i]`. Of its own address, an empty `local.host` is this host; another name makes a host
/// of its own of those who use it.
class transport : public mesh<detail::medium> {
public:
    transport(asio_loop& on, int rank, std::vector<address> peers, options o = {})
        : mesh(on, detail::medium(on, o), rank, std::move(peers), for_mesh(o.tcp))
    {
    }
};

}  // namespace papilio::hybrid
