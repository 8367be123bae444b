#pragma once

#include <papilio/async/timeout.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/log.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/hybrid.hpp>
#include <papilio/transport/medium.hpp>
#include <papilio/transport/shm/medium.hpp>
#include <papilio/transport/tcp/medium.hpp>

#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::hybrid {

namespace detail {

/// The medium of a mesh whose links use shared memory where they can, else TCP.
class medium final : public addressed_medium<hybrid::address> {
public:
    medium(asio_loop& on, const options& o)
        : loop_(&on),
          tcp_(on, o.tcp),
          local_(on, o.ring_bytes, o.allocate_limit),
          local_timeout_(o.tcp.handshake_timeout / 2)
    {
    }

    bool reaches(const address& from, const address& to) const override
    {
        return tcp_.reaches(from.tcp, to.tcp) || share_memory(from.local, to.local);
    }
    std::string text(const address& a) const override
    {
        const bool both = !a.tcp.host.empty() && !a.local.name.empty();
        return (a.tcp.host.empty() ? "" : to_string(a.tcp)) + (both ? " or " : "") +
               (a.local.name.empty() ? "" : to_string(a.local));
    }

    /// Listens for shared memory first: a peer that can connect over TCP can use either.
    void listen_at(const address& own, handshake authenticate) override
    {
        local_.listen_at(own.local, authenticate);
        tcp_.listen_at(own.tcp, std::move(authenticate));
    }
    shm::allocated_memory allocate(std::size_t size) { return local_.allocate(size); }
    address local() const override { return {tcp_.local(), local_.local()}; }
    std::uint64_t host() const override { return tcp_.host(); }

    /// Only an attempt shows whether two processes can share memory. If it fails on one host, TCP
    /// is tried.
    task<dialled> dial_at(address to, wire::hello h) override
    {
        dialled made;
        std::error_code failed;
        if (share_memory(local_.local(), to.local)) {
            try {
                task<dialled> attempt = local_.dial_at(to.local, h);
                made = co_await timeout(std::move(attempt), later(loop_->now(), local_timeout_));
            } catch (const std::system_error& failure) {
                failed = failure.code();
                const auto at = [&] { return to_string(to.local); };
                papilio::detail::log(log_level::info, "no shared memory", {"at", "why"}, at,
                                     failed);
            }
        }
        if (made.stream) co_return made;
        if (to.tcp.host.empty()) throw std::system_error(failed, to_string(to.local));
        co_return co_await tcp_.dial_at(to.tcp, h);
    }

private:
    bool share_memory(const shm::address& a, const shm::address& b) const
    {
        return local_.reaches(a, b) && a.host == b.host;
    }

    asio_loop* loop_;
    tcp::detail::medium tcp_;
    shm::detail::medium local_;
    duration local_timeout_;
};

}  // namespace detail

PAPILIO_DECL transport::transport(asio_loop& on, int rank, std::vector<address> peers, options o)
    : addressed_mesh(on, std::make_unique<detail::medium>(on, o), rank, std::move(peers),
                     for_mesh(o.tcp))
{
}

PAPILIO_DECL shm::allocated_memory transport::allocate(std::size_t size)
{
    return static_cast<detail::medium&>(links_medium()).allocate(size);
}

}  // namespace papilio::hybrid
